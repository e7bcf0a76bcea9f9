import { createHash } from "node:crypto";
import { Fault } from "../fault/index.ts";
import { ARTIFACT_LIMITS } from "./limits.ts";

/** What one registry is shown: a name and a password, or a token that is exchanged for others. */
export type Credential =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  | { readonly kind: "identity"; readonly token: string };

/** Credentials by registry, `host` or `host:port`. They are sent to exactly that host. */
export type Credentials = ReadonlyMap<string, Credential>;

/** A docker configuration (`.dockerconfigjson` of a Secret, or `config.json`), and the field that named it. */
export interface DockerConfig {
  readonly text: string;
  readonly field: string;
}

/**
 * The credentials in docker configurations; where several know a host, the first wins. Credential helpers are not run.
 * Throws `PolicyInvalid` for the field, with a message that repeats nothing of the content.
 */
export function credentialsOf(configs: readonly DockerConfig[]): Credentials {
  const found = new Map<string, Credential>();
  for (const config of configs) {
    for (const [host, credential] of readConfig(config)) if (!found.has(host)) found.set(host, credential);
  }
  return found;
}

/** The same credentials have the same print; it does not tell what they are. */
export const printOf = (credential: Credential | undefined): string =>
  credential === undefined
    ? "anonymous"
    : createHash("sha256").update(JSON.stringify(credential)).digest("hex");

/** The header that shows a name and a password. */
export const basicHeader = ({ username, password }: { username: string; password: string }): string =>
  `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function readConfig({ text, field }: DockerConfig): [string, Credential][] {
  const wrong = (message: string) => new Fault("PolicyInvalid", message, { field, remedy: REMEDY });
  if (Buffer.byteLength(text) > ARTIFACT_LIMITS.dockerConfigBytes) {
    throw wrong(`The docker configuration is larger than ${ARTIFACT_LIMITS.dockerConfigBytes} bytes`);
  }
  const parsed = parseJson(text);
  if (!isFields(parsed)) throw wrong("The docker configuration is not a JSON object");
  const { auths = {} } = parsed;
  if (!isFields(auths)) throw wrong("`auths` of the docker configuration is not an object");
  const entries = Object.entries(auths);
  if (entries.length > ARTIFACT_LIMITS.dockerConfigHosts) {
    throw wrong(`The docker configuration names more than ${ARTIFACT_LIMITS.dockerConfigHosts} registries`);
  }
  return entries.flatMap(([key, value]): [string, Credential][] => {
    const credential = isFields(value)
      ? readEntry(value, (what) => wrong(`${what} of a registry in the docker configuration`))
      : undefined;
    return credential === undefined ? [] : [[hostOf(key), credential]];
  });
}

const REMEDY = "Make it with `kubectl create secret docker-registry`, or log in again.";

/** An entry without anything in it is what a credential helper leaves behind: no credential, and no mistake. */
function readEntry(entry: Fields, wrong: (what: string) => Fault): Credential | undefined {
  const { auth, username, password, identitytoken } = entry;
  for (const value of [auth, username, password, identitytoken]) {
    if (value === undefined) continue;
    if (typeof value !== "string") throw wrong("Something that is not text stands in the entry");
    if (value.length > ARTIFACT_LIMITS.credentialCharacters)
      throw wrong("Something too long stands in the entry");
  }
  if (typeof identitytoken === "string" && identitytoken !== "")
    return { kind: "identity", token: identitytoken };
  if (typeof username === "string" && typeof password === "string" && username !== "") {
    return basic(username, password, wrong);
  }
  if (typeof auth !== "string" || auth === "") return undefined;
  const pair = Buffer.from(auth, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = pair.indexOf(":");
  if (colon < 1) throw wrong("`auth` is not base64 of name:password, in the entry");
  return basic(pair.slice(0, colon), pair.slice(colon + 1), wrong);
}

function basic(username: string, password: string, wrong: (what: string) => Fault): Credential {
  if (username.includes(":")) throw wrong("A colon stands in the user name");
  return { kind: "basic", username, password };
}

/** `https://host/`, `host/v2/` and `host` are the same registry; a longer path is part of the key and fits no host. */
const hostOf = (key: string): string =>
  key
    .replace(/^https?:\/\//, "")
    .replace(/\/(v[12]\/?)?$/, "")
    .toLowerCase();

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
