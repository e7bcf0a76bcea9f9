import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { Option, type Command } from "commander";
import {
  credentialsOf,
  parseReference,
  Registry,
  type Credentials,
  type Reference,
} from "../artifact/index.ts";
import { Fault } from "../fault/index.ts";
import { Misunderstood, type Terminal } from "./terminal.ts";

/** The options of every command that speaks to a registry. */
export interface RegistryWords {
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly ca?: string;
  readonly plainHttp?: boolean;
}

const PASSWORD_CHARACTERS = 16 * 1_024;

/** Adds them to a command. */
export function withRegistryOptions(command: Command): Command {
  return command
    .addOption(new Option("-u, --username <name>", "who to be; otherwise as the docker configuration says"))
    .addOption(new Option("--password-stdin", "read the password from standard input"))
    .addOption(new Option("--ca <file>", "authority in PEM to trust besides the usual ones"))
    .addOption(new Option("--plain-http", "speak to the registry without TLS"));
}

/** Reads a reference that was typed. Throws `Misunderstood`. */
export function referenceOf(text: string): Reference {
  try {
    return parseReference(text);
  } catch (thrown) {
    if (thrown instanceof Fault) throw new Misunderstood("reference", thrown.message, thrown.remedy);
    throw thrown;
  }
}

/** Does something with the registry of a reference, as the words say. What it throws names the reference. */
export async function withRegistry<T>(
  { host }: Reference,
  words: RegistryWords,
  terminal: Terminal,
  work: (registry: Registry, credentials: Credentials) => Promise<T>,
): Promise<T> {
  const credentials = await credentialsFor(host, words, terminal);
  const ca = words.ca === undefined ? undefined : await readAuthority(words.ca);
  const registry = new Registry({
    ...(words.plainHttp === true ? { insecure: [host] } : {}),
    ...(ca === undefined ? {} : { ca }),
  });
  try {
    return await work(registry, credentials);
  } catch (thrown) {
    throw thrown instanceof Fault && thrown.field === undefined ? atReference(thrown) : thrown;
  } finally {
    await registry.close();
  }
}

const atReference = ({ code, message, remedy, cause }: Fault): Fault =>
  new Fault(code, message, { field: "reference", remedy, cause });

async function credentialsFor(
  host: string,
  { username, passwordStdin }: RegistryWords,
  terminal: Terminal,
): Promise<Credentials> {
  if (username === undefined && passwordStdin === undefined) return dockerCredentials(terminal);
  if (username === undefined)
    throw new Misunderstood("--username", "A password was given and no name", "Add --username.");
  if (passwordStdin === undefined) {
    throw new Misunderstood(
      "--password-stdin",
      "A name was given and no password",
      "Add --password-stdin and pipe the password in.",
    );
  }
  return new Map([[host, { kind: "basic", username, password: await readPassword(terminal) }]]);
}

async function readPassword({ input }: Terminal): Promise<string> {
  let password = "";
  for await (const chunk of input) {
    password += chunk.toString();
    if (password.length > PASSWORD_CHARACTERS) {
      throw new Misunderstood(
        "--password-stdin",
        `The password is longer than ${PASSWORD_CHARACTERS} characters`,
        "Pipe in the password alone.",
      );
    }
  }
  return password.replace(/\r?\n$/, "");
}

async function dockerCredentials({ environment }: Terminal): Promise<Credentials> {
  const directory = environment["DOCKER_CONFIG"] || join(environment["HOME"] || homedir(), ".docker");
  const path = join(directory, "config.json");
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return new Map();
  try {
    return credentialsOf([{ text, field: path }]);
  } catch (thrown) {
    if (thrown instanceof Fault)
      throw new Misunderstood(
        path,
        thrown.message,
        "Log in again, or set DOCKER_CONFIG to another directory.",
      );
    throw thrown;
  }
}

async function readAuthority(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => "");
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new Misunderstood(
    "--ca",
    `${path} is not a certificate in PEM that can be read`,
    "Name the file of the authority that signed the registry's certificate.",
  );
}
