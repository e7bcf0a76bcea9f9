import type { BoundTo, CredentialUse } from "../policy/index.ts";
import { before } from "./before.ts";
import { denied, quoted } from "./denial.ts";
import { originOf } from "./destination.ts";
import type { EgressCredential, Identity } from "./grant.ts";
import { isHeader, type Headers } from "./headers.ts";
import type { Place } from "./route.ts";

/** What the host adds to a request, and what of it must not come back. */
export interface Secret {
  readonly header: Headers;
  readonly identity: Identity | undefined;
  readonly texts: readonly string[];
}
/** A request that nobody is authenticated by. */
export const NO_SECRET: Secret = { header: {}, identity: undefined, texts: [] };

interface Needed {
  readonly use: CredentialUse;
  readonly place: Place;
  /** The request's own headers. */
  readonly headers: Headers;
}

/** The secret for a place. Throws `EffectDenied` for a credential of other places, and what the credential throws. */
export async function secretFor(
  { use, place, headers }: Needed,
  credentialOf: (use: CredentialUse) => Promise<EgressCredential>,
  signal: AbortSignal,
): Promise<Secret> {
  const { field } = use;
  const name = `The ${use.kind} ${quoted(use.name)}`;
  const credential = await before(signal, credentialOf(use));
  if (!credential.hosts.some((one) => isBoundTo(one, place)))
    throw denied(`${name} is not bound to ${originOf(place.destination)}`, {
      field,
      remedy:
        "Bind it to that place under its spec.hosts, or leave it out of the rule. A host is asked over https.",
    });
  const revealed = await before(signal, credential.reveal());
  if ("certificate" in revealed) {
    if (place.destination.scheme === "https") return { ...NO_SECRET, identity: revealed };
    throw denied(`${name} is a certificate, which is shown over TLS alone: a service is asked over http`, {
      field,
    });
  }
  const header = revealed.header.toLowerCase();
  if (!isHeader(header, revealed.value)) throw denied(`${name} is no header`, { field });
  if (Object.hasOwn(headers, header))
    throw denied(`The header ${header} is the credential's, and the algorithm set it too`, { field });
  return { ...NO_SECRET, header: { [header]: revealed.value }, texts: revealed.texts };
}

/** Over plain HTTP a secret is sent to a service of the namespace alone. */
function isBoundTo(bound: BoundTo, { destination, service }: Place): boolean {
  if ("service" in bound) return service?.name === bound.service.name && service.port === bound.service.port;
  if (service !== undefined || destination.scheme !== "https") return false;
  return bound.host === destination.host && bound.port === destination.port;
}

/** Whether an answer has a secret in it as it stands: an echo would hand it to the algorithm. */
export function tells(secret: Secret, headers: Headers, body: Uint8Array): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const values = Object.values(headers);
  return secret.texts.some((text) => bytes.includes(text) || values.some((value) => value.includes(text)));
}
