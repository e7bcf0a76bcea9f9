import type { IncomingHttpHeaders } from "node:http";
import { denied, quoted } from "./denial.ts";
import { LIMITS } from "./limits.ts";

export type Headers = Readonly<Record<string, string>>;

// What frames a message belongs to the host; so does who asks. The rest turns one method into another, or speaks for a proxy.
const REFUSED: ReadonlySet<string> = new Set([
  ...["host", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length"],
  ...[
    "expect",
    "http2-settings",
    "max-forwards",
    "via",
    "forwarded",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
  ],
  ...["authorization", "cookie", "cookie2"],
  ...["x-http-method", "x-http-method-override", "x-method-override"],
  ...["x-original-url", "x-rewrite-url", "metadata", "metadata-flavor"],
]);
const REFUSED_PREFIXES = ["proxy-", "x-forwarded-", "x-remote-", "impersonate-", "x-aws-", "sec-", ":"];

/** All that is still sent once a redirect has led to another origin. */
const GENERAL: ReadonlySet<string> = new Set(["accept", "accept-language", "user-agent"]);

// Cookies are state that the next pass must not have; the others concern the connection, which ends.
const KEPT_BACK: ReadonlySet<string> = new Set([
  ...["set-cookie", "set-cookie2", "connection", "keep-alive", "transfer-encoding", "trailer", "upgrade"],
  ...["proxy-authenticate", "proxy-authentication-info", "alt-svc"],
]);

/** A guest's headers, names in lower case. Throws `EffectDenied` for those that are the host's to set, or no headers. */
export function readHeaders(given: Headers): Headers {
  const read = new Map<string, string>();
  let bytes = 0;
  for (const [spelled, value] of Object.entries(given)) {
    const name = spelled.toLowerCase();
    if (!isHeader(name, value)) throw denied(`The header ${quoted(spelled)} cannot be sent`);
    if (REFUSED.has(name) || REFUSED_PREFIXES.some((prefix) => name.startsWith(prefix)))
      throw denied(`The header ${quoted(spelled)} is not the algorithm's to set`);
    if (read.has(name)) throw denied(`The header ${quoted(spelled)} is there twice`);
    bytes += name.length + value.length;
    // Compressed answers are not asked for: what arrives is measured as it is.
    if (name !== "accept-encoding") read.set(name, value);
  }
  if (read.size > LIMITS.requestHeaders || bytes > LIMITS.requestHeaderBytes)
    throw denied(
      `There are more than ${LIMITS.requestHeaders} headers, or ${LIMITS.requestHeaderBytes} bytes`,
    );
  return Object.fromEntries(read);
}

/** What is left of a request's headers for another origin. */
export const generalHeaders = (headers: Headers): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => GENERAL.has(name)));

/** A server's headers as the algorithm sees them. */
export const answerHeaders = (headers: IncomingHttpHeaders): Headers =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name, value]) => value !== undefined && !KEPT_BACK.has(name.toLowerCase()))
      .map(([name, value]) => [name.toLowerCase(), Array.isArray(value) ? value.join(", ") : (value ?? "")]),
  );

const TOKEN = new Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz");

/** Whether a name (in lower case) and a value can be a header: nothing in it can end its line. */
export const isHeader = (name: string, value: string): boolean =>
  name !== "" && [...name].every((one) => TOKEN.has(one)) && [...value].every((one) => isVisible(one));

const isVisible = (character: string): boolean =>
  character === "\t" || (character >= " " && character <= "~" && character.length === 1);
