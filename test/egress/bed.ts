import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import {
  createServer as createSocketServer,
  type AddressInfo,
  type Server as Sockets,
  type Socket,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deniedBy, refusedOutside } from "../../host/egress/address.ts";
import { egressPast, type EgressOptions } from "../../host/egress/egress.ts";
import type { Answer, Egress, EffectRequest, Grant } from "../../host/egress/index.ts";
import type { HostRule } from "../../host/policy/index.ts";
import { policy } from "../builders.ts";

/** Stands for an address on the public Internet: the only one of this machine that a test's egress may connect to. */
export const PUBLIC = "127.0.0.3";
const FORBIDDEN = ["127.0.0.1", "127.0.0.2", "::1"];

/** A server at the public address, and listeners on the same port at forbidden ones, which count who connects. */
export interface Bed {
  readonly port: number;
  /** How many connections the server accepted. */
  accepted(): number;
  /** How many connections the forbidden listeners accepted. */
  trespassed(): number;
  stop(): Promise<void>;
}

export const httpBed = (listener: RequestListener): Promise<Bed> => bedOf(() => createServer(listener));
export const tlsBed = (options: Certificate & ServerOptions, listener: RequestListener): Promise<Bed> =>
  bedOf(() => createTlsServer(options, listener));

/** A server that writes these bytes to whoever asks, and more if told to. */
export const speaking = (text: string, further: (socket: Socket) => void = () => undefined): Promise<Bed> =>
  bedOf(() =>
    createSocketServer((socket) => {
      socket.once("data", () => {
        socket.write(text);
        further(socket);
      });
    }),
  );

const beds = new Set<Bed>();

/** Ends every bed. Whatever a test is about, it fails if somebody was where nobody may be. */
export async function leave(): Promise<void> {
  const trespassed = [...beds].map((bed) => bed.trespassed()).filter((count) => count > 0);
  for (const bed of beds) await bed.stop();
  beds.clear();
  if (trespassed.length > 0) throw new Error(`${String(trespassed)} connections to forbidden addresses`);
}

async function bedOf(create: () => Server | Sockets): Promise<Bed> {
  // A port that is free at one address may be taken at another.
  for (let tries = 1; ; tries++) {
    try {
      const bed = await tryBed(create());
      beds.add(bed);
      return bed;
    } catch (thrown) {
      if (tries === 20) throw thrown;
    }
  }
}

async function tryBed(server: Server | Sockets): Promise<Bed> {
  const open = new Set<Sock>();
  const counts = { accepted: 0, trespassed: 0 };
  server.on("connection", (socket: Sock) => {
    counts.accepted++;
    keep(socket, open);
  });
  await listening(server, 0, PUBLIC);
  const { port } = server.address() as AddressInfo;
  const traps: Sockets[] = [];
  const stop = async () => {
    for (const socket of open) socket.destroy();
    await Promise.all([server, ...traps].map((one) => new Promise((done) => one.close(done))));
  };
  try {
    for (const address of FORBIDDEN) {
      const trap = createSocketServer((socket) => {
        counts.trespassed++;
        keep(socket, open);
      });
      await listening(trap, port, address);
      traps.push(trap);
    }
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return { port, accepted: () => counts.accepted, trespassed: () => counts.trespassed, stop };
}

async function listening(server: Server | Sockets, port: number, address: string): Promise<void> {
  server.listen(port, address);
  await once(server, "listening");
}

interface Sock {
  on(event: string, listener: () => void): unknown;
  destroy(): void;
}
function keep(socket: Sock, open: Set<Sock>): void {
  open.add(socket);
  socket.on("close", () => open.delete(socket));
  socket.on("error", () => undefined);
}

/** An egress for which `PUBLIC` is outside; every other address is judged as ever. */
export function egressAt(
  options: Partial<EgressOptions> & { readonly deny?: readonly string[] } = {},
): Egress {
  const never = deniedBy(options.deny ?? []);
  const refused = refusedOutside(never);
  const endpoint = () => Promise.reject(new Error("no service was expected"));
  return egressPast({ endpoint, resolve: () => Promise.resolve([PUBLIC]), ...options }, never, (address) =>
    address === PUBLIC ? undefined : refused(address),
  );
}

/** A grant whose ceiling is as wide as the policy's own rules, unless it says otherwise. */
export const grant = (hosts: readonly HostRule[], rest: Partial<Grant> = {}): Grant => ({
  policy: policy(),
  hosts,
  services: [],
  ceiling: { hosts, services: true },
  credential: () => Promise.reject(new Error("no credential was expected")),
  requestsPerMinute: 10_000,
  bytesPerMinute: 1_000_000_000,
  ...rest,
});

export const get = (url: string, rest: Partial<EffectRequest> = {}): EffectRequest => ({
  method: "GET",
  url,
  headers: {},
  body: new Uint8Array(),
  ...rest,
});

/** An answer as a word: its status and body, or its error. */
const wordOf = (answer: Answer): string =>
  "error" in answer ? answer.error : `${answer.status} ${Buffer.from(answer.body).toString()}`;

/** What a promise came to: a word, or the code of its fault. */
export const outcome = async (work: Promise<Answer>): Promise<string> => {
  try {
    return wordOf(await work);
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown ? String(thrown.code) : String(thrown);
  }
};

export const NEVER = new AbortController().signal;

/** The one rule that most tests have, and the URL that it allows. */
export const rule = (port: number, host = "api.example.com") => ({ host, scheme: "http" as const, port });
export const url = (port: number, host = "api.example.com") => `http://${host}:${port}/`;

/** What a bed answers to the one request that its policy may make. */
export const asking = (bed: Bed, rest: Partial<Grant> = {}, totalMs = 3_000): Promise<string> =>
  outcome(egressAt({ totalMs }).perform(get(url(bed.port)), grant([rule(bed.port)], rest), NEVER));

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** A certificate for these names that is its own authority. */
export function certificateFor(...names: readonly string[]): Certificate {
  const folder = mkdtempSync(join(tmpdir(), "egress-"));
  try {
    const [key, cert, config] = ["key.pem", "cert.pem", "config"].map((file) => join(folder, file));
    if (key === undefined || cert === undefined || config === undefined) throw new Error("unreachable");
    const san = names.map((name) => `DNS:${name}`).join(",");
    writeFileSync(config, "[req]\ndistinguished_name=dn\n[dn]\n");
    const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const named = ["-days", "2", "-subj", "/CN=test", "-addext", `subjectAltName=${san}`];
    execFileSync("openssl", [...made, ...named, "-config", config, "-keyout", key, "-out", cert], {
      stdio: "ignore",
    });
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
