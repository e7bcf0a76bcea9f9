import { lookup, Resolver } from "node:dns/promises";
import { before } from "./before.ts";
import { Undone } from "./denial.ts";

/** All addresses of a name. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

/**
 * Asks the name servers for a name as it stands. The system's own look-up would try it under the cluster's search domains
 * first, and holds one of four threads that files need too for as long as a stranger's name server likes.
 */
export const publicNames: Resolve = async (host, signal) => {
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  const cancel = () => resolver.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const found = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    return found.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  } finally {
    signal.removeEventListener("abort", cancel);
  }
};

/** Looks a service's name up as every program in the cluster does. */
export const clusterNames: Resolve = async (host) =>
  (await lookup(host, { all: true, order: "verbatim" })).map(({ address }) => address);

/** Resolves within the time that is left. Throws `Undone` if there is no address. */
export async function resolved(
  resolve: Resolve,
  host: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const addresses = await before(signal, resolve(host, signal));
    if (addresses.length > 0) return addresses;
  } catch (thrown) {
    if (signal.aborted) throw thrown;
  }
  throw new Undone("NoSuchHost", `${host} has no address`);
}
