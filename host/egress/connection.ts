import { connect as connectPlain, isIP, type Socket } from "node:net";
import { rootCertificates, connect as connectTls } from "node:tls";
import { Undone } from "./denial.ts";
import type { Destination } from "./destination.ts";
import type { Identity } from "./grant.ts";
import { LIMITS } from "./limits.ts";

/** Where to connect: to these addresses, which were checked, and to no name. */
export interface Line {
  readonly destination: Destination;
  readonly addresses: readonly string[];
  /** Authorities in PEM that are trusted besides those the runtime brings along. */
  readonly ca: string | undefined;
  /** What is shown to a server that asks who connects. */
  readonly identity: Identity | undefined;
  readonly signal: AbortSignal;
}

/** Connects to the first address that takes the connection. Throws `Undone` if none does. */
export async function connect(line: Line): Promise<Socket> {
  let why = "there is no address";
  for (const address of line.addresses.slice(0, LIMITS.addresses)) {
    line.signal.throwIfAborted();
    try {
      return await connected(open(line, address), line);
    } catch (thrown) {
      line.signal.throwIfAborted();
      why = reasonOf(thrown);
    }
  }
  throw new Undone("Unreachable", `${line.destination.host} cannot be reached: ${why}`);
}

function open({ destination: { scheme, host, port }, ca, identity }: Line, address: string): Socket {
  if (scheme === "http") return connectPlain({ host: address, port, noDelay: true });
  return connectTls({
    host: address,
    port,
    // The certificate has to be the name's that was asked for, wherever it led; for an address, the address's.
    ...(isIP(address) !== 0 && (host === address || host === `[${address}]`) ? {} : { servername: host }),
    ALPNProtocols: ["http/1.1"],
    minVersion: "TLSv1.2",
    ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.privateKey }),
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
  }).setNoDelay(true);
}

function connected(socket: Socket, { destination, signal }: Line): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const end = () => socket.destroy(new Error("ended"));
  const timer = setTimeout(() => socket.destroy(new Error("no connection in time")), LIMITS.connectMs);
  signal.addEventListener("abort", end, { once: true });
  socket.once(destination.scheme === "https" ? "secureConnect" : "connect", () => resolve(socket));
  // Stays for good: an error between two listeners of somebody else must not end the process.
  socket.on("error", reject);
  socket.once("close", () => reject(new Error("closed")));
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  });
}

/** What went wrong in the runtime's word for it, such as `ECONNREFUSED` or `CERT_HAS_EXPIRED`: it names no address. */
export const reasonOf = (thrown: unknown): string => {
  if (thrown instanceof Error && "code" in thrown && typeof thrown.code === "string") return thrown.code;
  return thrown instanceof Error ? thrown.message : "an unknown reason";
};
