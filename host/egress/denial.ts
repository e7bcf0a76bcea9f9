import { Fault, type FaultDetail } from "../fault/index.ts";

/** A request that is not granted: nothing was sent, and the pass ends. */
export const denied = (message: string, detail: FaultDetail = {}): Fault =>
  new Fault("EffectDenied", message, {
    ...detail,
  });

/** What a guest or a server wrote, fit for a message. */
export const quoted = (text: string): string => JSON.stringify(text.slice(0, 100));

/** Why a granted request has no answer. The algorithm sees the code as the answer of its request. */
export type EffectError =
  | "NoSuchHost"
  | "Unreachable"
  | "TimedOut"
  | "Broken"
  | "TooLarge"
  | "RedirectedTooOften"
  | "BudgetSpent"
  | "SecretReturned";

/** A granted request that came to nothing. */
export class Undone extends Error {
  readonly error: EffectError;

  constructor(error: EffectError, message: string) {
    super(message);
    this.error = error;
  }
}
