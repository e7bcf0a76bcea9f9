import { randomUUID } from "node:crypto";
import { open, rename, rm, stat, utimes } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const HEARTBEAT_MS = 2_000;
// Ten heartbeats: a holder on a machine busy with compiling may miss some, one that was killed misses all.
const STALE_MS = 20_000;
const POLL_MS = 200;

/**
 * Runs `work` while holding the lock file at `path`, one holder at a time over all processes. A holder that was killed
 * stops renewing the file, and the next in line takes it over.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  while (!(await acquire(path))) await sleep(POLL_MS);
  const heartbeat = setInterval(() => void renew(path), HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(path, { force: true });
  }
}

async function acquire(path: string): Promise<boolean> {
  try {
    await (await open(path, "wx")).close();
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw thrown;
  }
  const renewed = await stat(path).catch(() => undefined);
  if (renewed !== undefined && Date.now() - renewed.mtimeMs > STALE_MS) await discard(path);
  return false;
}

/** Of several that find the lock stale, one moves it away; the others find nothing to move. */
async function discard(path: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  await rename(path, aside).catch(() => undefined);
  await rm(aside, { force: true });
}

async function renew(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}
