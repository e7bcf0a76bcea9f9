import { denied, quoted } from "./denial.ts";
import { originOf, readDestination } from "./destination.ts";
import type { EgressCredential, Grant } from "./grant.ts";
import { isHeader, type Headers } from "./headers.ts";
import type { Place } from "./route.ts";

/** A header that the host adds, and what of it must not come back. */
export interface Secret {
  readonly header: Headers;
  readonly texts: readonly string[];
}
const NONE: Secret = { header: {}, texts: [] };

/** The secret header for a place. Throws `EffectDenied` for a credential that is not granted, or is another place's. */
export function secretFor(
  { credentials }: Grant,
  name: string | undefined,
  place: Place,
  headers: Headers,
): Secret {
  if (name === undefined) return NONE;
  const credential = credentials.find((one) => one.name === name);
  if (credential === undefined) throw denied(`The credential ${quoted(name)} is not granted`);
  if (!isBoundTo(credential, place))
    throw denied(`The credential ${quoted(name)} is not for ${originOf(place.destination)}`);
  const header = credential.header.toLowerCase();
  if (!isHeader(header, credential.value)) throw denied(`The credential ${quoted(name)} is no header`);
  if (Object.hasOwn(headers, header))
    throw denied(`The header ${header} is the credential's, and the algorithm set it too`);
  return { header: { [header]: credential.value }, texts: secretsIn(credential.value) };
}

/** Over plain HTTP a secret is sent to a service of the namespace alone. */
function isBoundTo(credential: EgressCredential, { destination, service }: Place): boolean {
  if ("service" in credential)
    return service?.name === credential.service.name && service.port === credential.service.port;
  if (service !== undefined || destination.scheme !== "https") return false;
  return originOf(readDestination(credential.origin)) === originOf(destination);
}

/** `Bearer abc…` is one secret, and what follows the scheme another; a shorter one would be found everywhere. */
function secretsIn(value: string): readonly string[] {
  return [value, value.slice(value.indexOf(" ") + 1)].filter((text) => text.length >= SECRET_CHARACTERS);
}
const SECRET_CHARACTERS = 8;

/** Whether an answer has a secret in it as it stands: an echo would hand it to the algorithm. */
export function tells(secret: Secret, headers: Headers, body: Uint8Array): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const values = Object.values(headers);
  return secret.texts.some((text) => bytes.includes(text) || values.some((value) => value.includes(text)));
}
