import { asFault } from "../fault/index.ts";
import type { Permit } from "../loop/index.ts";
import { denial } from "./denial.ts";

/** A rollout moves a Deployment's version a few times a second; six tries in a row get between. */
const CONFLICT_RETRIES = 5;

/** What is to be written on the version that was just read, or what is there already. */
type Next<Written> = { readonly isThere: Written } | { readonly write: () => Promise<Written> };

/**
 * Writes on the latest version of an object: where only something else of it moved between read and write, it is read and
 * written again. The permit is asked before every write.
 */
export async function onLatest<Written>(
  read: () => Promise<Next<Written>>,
  permit: Permit,
): Promise<Written> {
  for (let tried = 0; ; tried += 1) {
    const next = await read();
    if ("isThere" in next) return next.isThere;
    const denied = permit();
    if (denied !== undefined) throw denied;
    try {
      return await next.write();
    } catch (thrown) {
      if (asFault(thrown).code !== "Conflict" || tried >= CONFLICT_RETRIES) throw denial(thrown);
    }
  }
}
