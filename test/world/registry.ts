import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { testworldBinary } from "./build.ts";
import { freePort } from "./port.ts";
import { supervise, type Supervisor } from "./supervisor.ts";

const run = promisify(execFile);
const USERNAME = "sluice";
const PASSWORD = "an open secret";

/** What a registry asks of its clients. */
interface RegistryOptions {
  /** Nobody is asked; name and password with each request; or a token that the registry's own issuer gives for them. */
  readonly auth?: "none" | "basic" | "bearer";
  readonly tls?: boolean;
}

/** A real OCI registry on loopback. */
export interface Registry extends AsyncDisposable {
  /** Like `127.0.0.1:20123`, the first part of an artifact's reference. */
  readonly host: string;
  /** The host with its scheme. */
  readonly url: string;
  /** The one user, who may do everything where there is authentication. */
  readonly username: string;
  readonly password: string;
  /** The path of the certificate authority (PEM) of a registry with TLS. */
  readonly ca: string | undefined;
  /** Ends the server: connections are refused. The content is kept. */
  readonly down: () => Promise<void>;
  /** Starts it again at the same address with the same content. */
  readonly up: () => Promise<void>;
  /** Freezes the server: connections are taken and nobody answers. */
  readonly pause: () => void;
  /** Lets it go on. */
  readonly resume: () => void;
  /** Ends the server and removes its content. */
  readonly stop: () => Promise<void>;
}

/** Starts an empty registry; well under a second. */
export async function registry({ auth = "none", tls = false }: RegistryOptions = {}): Promise<Registry> {
  const supervisor = await supervise();
  try {
    const host = `127.0.0.1:${await freePort()}`;
    const url = `${tls ? "https" : "http"}://${host}`;
    const pki = join(supervisor.directory, "pki");
    if (tls) await run(await testworldBinary(), ["pki", pki, url]);
    const ca = tls ? join(pki, "registry-ca.crt") : undefined;
    const flags = [
      `--listen=${host}`,
      `--dir=${join(supervisor.directory, "registry")}`,
      `--auth=${auth}`,
      `--user=${USERNAME}`,
      `--password=${PASSWORD}`,
      ...(tls ? [`--tls-cert=${join(pki, "registry.crt")}`, `--tls-key=${join(pki, "registry.key")}`] : []),
    ];
    const server = await serverOf(supervisor, url, flags, ca);
    await server.up();
    const { stop } = supervisor;
    return {
      host,
      url,
      username: USERNAME,
      password: PASSWORD,
      ca,
      ...server,
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (thrown) {
    await supervisor.stop();
    throw thrown;
  }
}

/** One that asks who is there serves too. */
const isServing = (status: number): boolean => status === 200 || status === 401;

type Server = Pick<Registry, "down" | "up" | "pause" | "resume">;

async function serverOf(
  supervisor: Supervisor,
  url: string,
  flags: readonly string[],
  ca: string | undefined,
): Promise<Server> {
  const check = { is: isServing, ...(ca === undefined ? {} : { ca: await readFile(ca, "utf8") }) };
  let pid: number | undefined;
  const signal = (name: NodeJS.Signals): void => {
    if (pid === undefined) throw new Error("the registry is down");
    process.kill(pid, name);
  };
  return {
    down: async () => {
      await supervisor.kill("registry");
      pid = undefined;
    },
    up: async () => {
      ({ pid } = await supervisor.start("registry", flags));
      await supervisor.ready("registry", `${url}/v2/`, check);
    },
    pause: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
  };
}
