import { isIP } from "node:net";
import { denied, quoted } from "./denial.ts";
import { LIMITS } from "./limits.ts";

/** Where a URL leads, in the one spelling that decisions are made on and requests are sent with. */
export interface Destination {
  readonly scheme: "https" | "http";
  /** Lower case, punycode, no dot at the end; an IPv6 address is in brackets. */
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** With its question mark; empty if there is none. */
  readonly query: string;
}

/** The same for two destinations exactly if scheme, host and port are. */
export const originOf = ({ scheme, host, port }: Destination): string => `${scheme}://${host}:${port}`;

export const DEFAULT_PORT = { https: 443, http: 80 } as const;

/** Reads a URL that a guest or a redirect wrote. Throws `EffectDenied` for everything that two readers could read differently. */
export function readDestination(text: string): Destination {
  const refuse = (why: string) => denied(`The URL ${quoted(text)} ${why}`);
  if (text.length > LIMITS.urlCharacters) throw refuse(`has more than ${LIMITS.urlCharacters} characters`);
  if (!isPlain(text)) throw refuse("has a space, a backslash or a control character");
  const scheme = schemeOf(text);
  if (scheme === undefined) throw refuse("does not begin with https:// or http://");
  const rest = text.slice(scheme.length + "://".length);
  const authority = rest.slice(0, endOfAuthority(rest));
  if (authority.includes("@")) throw refuse("has a user name in it");
  const { hostText, portText } = splitPort(authority);
  const host = readHost(hostText);
  if (host === undefined) throw refuse("has no host, or not in its usual spelling");
  const port = portText === undefined ? DEFAULT_PORT[scheme] : readPort(portText);
  if (port === undefined) throw refuse("has no port, or not in its usual spelling");
  // The host that the standard's reader sees has to be the one that was read here.
  const url = URL.parse(text);
  if (url === null || withoutDot(url.hostname) !== host) throw refuse("has no host that can be read");
  return { scheme, host, port, path: url.pathname, query: url.search };
}

/** A host in the spelling that is compared; undefined for what is none, and for an IPv4 address spelled oddly. */
export function readHost(text: string): string | undefined {
  if (!isPlain(text) || [..."/?#@%"].some((one) => text.includes(one))) return undefined;
  if (text.includes(":") && !(text.startsWith("[") && text.endsWith("]"))) return undefined;
  const url = URL.parse(`https://${text}/`);
  if (url === null) return undefined;
  const host = withoutDot(url.hostname);
  if (host.startsWith("[")) return host;
  // 0x7f.1 and 2130706433 are 127.0.0.1 to one reader and a name to another.
  if (isIP(host) === 4) return host === text ? host : undefined;
  return host.length <= 253 && host.split(".").every(isLabel) ? host : undefined;
}

/** The address that a host is, without the brackets; undefined if it is a name. */
export function literalOf(host: string): string | undefined {
  const bare = host.startsWith("[") ? host.slice(1, -1) : host;
  return isIP(bare) === 0 ? undefined : bare;
}

const schemeOf = (text: string): "https" | "http" | undefined =>
  (["https", "http"] as const).find((one) => text.slice(0, one.length + 3).toLowerCase() === `${one}://`);

function endOfAuthority(rest: string): number {
  const ends = ["/", "?", "#"].map((one) => rest.indexOf(one)).filter((at) => at >= 0);
  return ends.length === 0 ? rest.length : Math.min(...ends);
}

function splitPort(authority: string): { hostText: string; portText: string | undefined } {
  const colon = authority.indexOf(":", authority.lastIndexOf("]") + 1);
  return colon < 0
    ? { hostText: authority, portText: undefined }
    : { hostText: authority.slice(0, colon), portText: authority.slice(colon + 1) };
}

function readPort(text: string): number | undefined {
  const port = Number(text);
  return String(port) === text && Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
}

const withoutDot = (host: string): string => (host.endsWith(".") ? host.slice(0, -1) : host);

/** Neither white space nor a control character of ASCII or Latin-1, nor a backslash, which some take for a slash. */
const isPlain = (text: string): boolean =>
  [...text].every((character) => {
    const code = character.codePointAt(0) ?? 0;
    return (
      code > 0x20 && code !== 0x5c && !(code >= 0x7f && code <= 0xa0) && !(code >= 0xd8_00 && code <= 0xdf_ff)
    );
  });

const LABEL = new Set("abcdefghijklmnopqrstuvwxyz0123456789-_");

const isLabel = (label: string): boolean =>
  label.length >= 1 && label.length <= 63 && [...label].every((character) => LABEL.has(character));
