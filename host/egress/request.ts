import { denied, quoted } from "./denial.ts";
import type { Headers } from "./headers.ts";
import { LIMITS } from "./limits.ts";

/** What a guest asks for. */
export interface EffectRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** The name of the credential that the host is to add. */
  readonly credential?: string;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
/** The methods that can be granted. They are spelled in capitals; `get` is none. */
export type Method = (typeof METHODS)[number];

export const isSafe = (method: Method): boolean => method === "GET" || method === "HEAD";

/** The method of a request that can be made at all. Throws `EffectDenied` for another one, or a body that is not for it. */
export function readMethod({ method, body }: EffectRequest): Method {
  const known = METHODS.find((one) => one === method);
  if (known === undefined) throw denied(`The method ${quoted(method)} is none that can be granted`);
  if (body.length > LIMITS.requestBytes)
    throw denied(`The body of a request has more than ${LIMITS.requestBytes} bytes`);
  // A body that one side expects and the other does not is how a second request is smuggled in.
  if (body.length > 0 && isSafe(known)) throw denied(`A ${known} request has a body`);
  return known;
}
