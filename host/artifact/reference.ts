import { isIPv6 } from "node:net";
import { Fault } from "../fault/index.ts";
import { isDigest, type Digest } from "./digest.ts";
import { ARTIFACT_LIMITS } from "./limits.ts";

/** `oci://host[:port]/repository[:tag][@sha256:…]`, taken apart. */
export interface Reference {
  /** Name or address of the registry with its port, lower case; an IPv6 address in brackets. */
  readonly host: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

const SCHEME = "oci://";
const NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const REPOSITORY_PART = /^[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*$/;
const REPOSITORY_CHARACTERS = 255;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/**
 * Takes a reference apart. Nothing is repaired or guessed: what it accepts, `formatReference` spells in exactly the same
 * way. Throws `PolicyInvalid` for `field`, with a message that repeats no credential.
 */
export function parseReference(text: string, field = "reference"): Reference {
  const wrong = (message: string) => new Fault("PolicyInvalid", message, { field, remedy: REMEDY });
  if (text.length > ARTIFACT_LIMITS.referenceCharacters) {
    throw wrong(
      `A reference has at most ${ARTIFACT_LIMITS.referenceCharacters} characters, this one has ${text.length}`,
    );
  }
  if (!text.startsWith(SCHEME)) throw wrong(`A reference begins with ${SCHEME}`);
  const slash = text.indexOf("/", SCHEME.length);
  if (slash < 0) throw wrong("The reference names a registry and no repository");
  const host = text.slice(SCHEME.length, slash);
  if (host.includes("@"))
    throw wrong("The reference carries a user name: credentials come from a Secret, never from here");
  if (!isHost(host))
    throw wrong(`${quoted(host)} is not a registry: a lower-case host name or address, and a port`);

  const { repository, tag, digest } = split(text.slice(slash + 1));
  if (digest !== undefined && !isDigest(digest)) {
    throw wrong(`${quoted(digest)} is not a digest: sha256: and 64 lower-case hexadecimal figures`);
  }
  if (tag !== undefined && !TAG.test(tag)) throw wrong(`${quoted(tag)} is not a tag`);
  if (!isRepository(repository))
    throw wrong(`${quoted(repository)} is not a repository: lower-case words with slashes between`);
  return { host, repository, tag, digest };
}

/** The reference as it is written. */
export function formatReference({ host, repository, tag, digest }: Reference): string {
  return `${SCHEME}${host}/${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** What the registry is asked for: the digest if there is one, else the tag, else the tag `latest`. */
export const selectorOf = ({ digest, tag }: Reference): string => digest ?? tag ?? "latest";

const REMEDY = "Write it as oci://host/repository:tag or oci://host/repository@sha256:<digest>.";

function split(path: string): { repository: string; tag: string | undefined; digest: string | undefined } {
  const at = path.indexOf("@");
  const digest = at < 0 ? undefined : path.slice(at + 1);
  const named = at < 0 ? path : path.slice(0, at);
  const colon = named.indexOf(":");
  return {
    repository: colon < 0 ? named : named.slice(0, colon),
    tag: colon < 0 ? undefined : named.slice(colon + 1),
    digest,
  };
}

function isHost(text: string): boolean {
  const { name = "", port } = /^(?<name>\[[^\]]*\]|[^:]*)(:(?<port>.*))?$/.exec(text)?.groups ?? {};
  if (port !== undefined && !(/^[1-9][0-9]{0,4}$/.test(port) && Number(port) <= 65_535)) return false;
  if (name.startsWith("[")) return isIPv6(name.slice(1, -1)) && /^\[[0-9a-f:.]+\]$/.test(name);
  // An address in another spelling (one number, octal, hexadecimal) would be a different host to whoever reads it next.
  return NAME.test(name) && URL.parse(`https://${name}/`)?.hostname === name;
}

const isRepository = (text: string): boolean =>
  text.length <= REPOSITORY_CHARACTERS && text.split("/").every((part) => REPOSITORY_PART.test(part));

const quoted = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
