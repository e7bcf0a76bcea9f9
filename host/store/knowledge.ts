import type { HistoryOffer } from "../policy/index.ts";
import { offer, type Moment } from "./history.ts";
import { LIMITS } from "./limits.ts";
import type { Entry, Kept, Owner, Recalled, Remembered } from "./messages.ts";
import {
  encode,
  entryChecksum,
  entryRecord,
  policyChecksum,
  policyRecord,
  written,
  type PolicyRecord,
} from "./record.ts";
import { ask, askOne, type Row, type Work } from "./statements.ts";

/** Is told of every record that is found corrupt. */
export type Corrupt = (message: string) => void;

/** A term that nothing stored is above: what whoever says none writes with. */
const ANY_EPOCH = Number.MAX_SAFE_INTEGER;

interface Policy {
  readonly owner: Owner;
  readonly row: number;
}

/** What is known of this policy. What an earlier policy of the same name left behind is dropped. */
export function* recall(
  {
    owner,
    history,
    nowMs,
    epoch,
  }: { owner: Owner; history: HistoryOffer | undefined; nowMs: number; epoch?: number },
  corrupt: Corrupt,
): Work<Recalled> {
  yield* ask("dropOthers", owner.key, owner.uid, epoch ?? ANY_EPOCH);
  const policy = yield* policyOf("policy", owner, corrupt);
  if (policy === undefined)
    return { number: 0, carry: undefined, memory: undefined, lost: false, history: "[]", open: undefined };
  const of = { owner, row: policy.row };
  const newest = yield* ask("newest", policy.row, policy.floor, LIMITS.newest);
  const open = yield* askOne("open", policy.row);
  const { memory, lost } = yield* memoryIn(of, policy.number, newest, corrupt);
  return {
    number: policy.number,
    carry: policy.carry ?? undefined,
    memory,
    lost: lost || policy.lost,
    history: history === undefined ? "[]" : yield* historyOf(of, policy.floor, history, nowMs, corrupt),
    open: open === undefined ? undefined : yield* bodyOf(of, open, corrupt),
  };
}

/** What the newest pass that can be read says is to be remembered: every pass hands it on. Lost is what a newer one said. */
function* memoryIn(
  policy: Policy,
  number: number,
  rows: readonly Row[],
  corrupt: Corrupt,
): Work<{ memory: string | undefined; lost: boolean }> {
  let lost = rows[0] === undefined || Number(rows[0]["number"]) < number;
  for (const row of rows) {
    const body = yield* bodyOf(policy, row, corrupt);
    if (body === undefined) {
      lost = true;
      continue;
    }
    if (!body.includes('"memory":')) return { memory: undefined, lost };
    const { memory } = JSON.parse(body) as { memory?: unknown };
    return { memory: memory === undefined ? undefined : JSON.stringify(memory), lost };
  }
  return { memory: undefined, lost };
}

function* historyOf(
  policy: Policy,
  floor: number,
  history: HistoryOffer,
  nowMs: number,
  corrupt: Corrupt,
): Work<string> {
  const found = yield* ask("moments", policy.row, floor, nowMs - history.spanSeconds * 1_000, nowMs);
  const moments: Moment[] = found.map((one) => ({ row: Number(one["row"]), atMs: Number(one["at_ms"]) }));
  return yield* offer(moments, history, function* (row) {
    const one = yield* askOne("entry", row);
    return one === undefined ? undefined : yield* bodyOf(policy, one, corrupt);
  });
}

/**
 * Adds a pass, or replaces the one of the same id, and drops all but the newest `keep`, and what is above the bytes that a
 * policy may have. Nothing is done where somebody has written in a later term than `epoch`.
 */
export function* remember(
  { owner, keep, entry, epoch }: { owner: Owner; keep: number; entry: Entry; epoch?: number },
  corrupt: Corrupt,
): Work<Remembered> {
  const latest = epoch === undefined ? 0 : Number((yield* askOne("epoch", owner.key))?.["epoch"] ?? 0);
  if (latest > (epoch ?? ANY_EPOCH)) return { refusedBy: latest };
  const known = yield* policyOf("lockPolicy", owner, corrupt);
  const number = Math.max(known?.number ?? 0, entry.number);
  const floor = Math.max(known?.floor ?? 0, number - keep);
  const carry = entry.carry === undefined ? (known?.carry ?? null) : (entry.carry.text ?? null);
  const policy = { ...owner, number, carry, epoch: epoch ?? known?.epoch ?? 0, floor, lost: false };
  const row = yield* savePolicy(policy);
  if (row === undefined) return { refusedBy: latest + 1 };
  yield* saveEntry({ owner, row }, entry);
  for (const [digest, bytes] of entry.bodies) yield* ask("saveBody", row, digest, entry.number, bytes);
  const raised = yield* floorByBytes(row, floor, number);
  if (raised > (known?.floor ?? 0)) {
    yield* ask("dropOld", row, raised, raised);
    yield* ask("dropOldBodies", row, raised);
  }
  return {};
}

/** Writes a pass, whole or as the difference to an earlier one. */
export function* saveEntry(policy: Policy, entry: Entry): Work<void> {
  const { id, number, atMs, outcome, decided, body } = entry;
  const known = yield* askOne("known", policy.row, id);
  if (known !== undefined) yield* freeDependents(policy, Number(known["row"]));
  const base = entry.compact && known === undefined ? yield* baseOf(policy, number) : undefined;
  const checksum = entryChecksum(policy.owner, { id, number, atMs, outcome, body });
  const columns = encode(body, base);
  yield* ask("saveEntry", policy.row, id, number, atMs, outcome, Number(decided), ...columns, checksum);
}

/** The full record that the next pass can be the difference to; undefined where the chain is long enough. */
function* baseOf(policy: Policy, number: number): Work<{ row: number; body: string } | undefined> {
  const found = yield* askOne("base", policy.row, number);
  if (found === undefined) return undefined;
  const { row, number: at, body } = entryRecord(policy.owner, found);
  return body === undefined || number - at >= LIMITS.fullEvery ? undefined : { row, body };
}

/** A record that is about to be replaced may be what others are the difference to: those become full. */
function* freeDependents(policy: Policy, row: number): Work<void> {
  for (const found of yield* ask("dependents", policy.row, row)) {
    const { body, row: dependent } = entryRecord(policy.owner, found);
    if (body !== undefined) yield* ask("makeFull", body, Buffer.byteLength(body), dependent);
  }
}

/** Up to which number passes are not kept, so that the policy has no more bytes than it may. The newest is always kept. */
function* floorByBytes(row: number, floor: number, newest: number): Work<number> {
  const size = Number((yield* askOne("size", row, row))?.["size"] ?? 0);
  if (size <= LIMITS.policyBytes) return floor;
  let bytes = 0;
  for (const one of yield* ask("sizes", row, row)) {
    bytes += Number(one["size"]);
    const number = Number(one["number"]);
    if (number <= floor) return floor;
    if (bytes <= LIMITS.policyBytes || number >= newest) continue;
    yield* ask("raiseFloor", number, row);
    return number;
  }
  return floor;
}

/** The newest passes of whoever has this name now, newest first. */
export function* entries({ key, limit }: { key: string; limit: number }, corrupt: Corrupt): Work<string[]> {
  const policy = yield* askOne("newestPolicy", key);
  if (policy === undefined) return [];
  const of = { owner: { key, uid: String(policy["uid"]) }, row: Number(policy["row"]) };
  const found: string[] = [];
  const rows = yield* ask("newest", of.row, Number(policy["floor"]), Math.min(limit, LIMITS.entries));
  for (const row of rows) {
    const body = yield* bodyOf(of, row, corrupt);
    if (body !== undefined) found.push(body);
  }
  return found;
}

/** Those of these bodies that are kept for whoever has this name now. */
export function* bodies({ key, digests }: { key: string; digests: readonly string[] }): Work<Kept[]> {
  const policy = yield* askOne("newestPolicy", key);
  if (policy === undefined) return [];
  const found: Kept[] = [];
  for (const digest of digests) {
    const bytes = (yield* askOne("body", Number(policy["row"]), digest))?.["bytes"];
    // A view of the driver's own buffers would keep them alive.
    if (bytes instanceof Uint8Array) found.push([digest, new Uint8Array(bytes)]);
  }
  return found;
}

/** Drops all that is known of a policy. */
export function* forget({ key }: { key: string }): Work<undefined> {
  yield* ask("dropAll", key);
  yield* ask("dropAllAside", key);
  return undefined;
}

/** The policies that something is known of. */
export function* keys(): Work<string[]> {
  return (yield* ask("keys")).map((one) => String(one["key"]));
}

/** The row of a policy. One that is corrupt is set aside; then what it carries is lost, and its number is that of its newest pass. */
export function* policyOf(
  name: "policy" | "lockPolicy",
  owner: Owner,
  corrupt: Corrupt,
): Work<PolicyRecord | undefined> {
  const found = yield* askOne(name, owner.key, owner.uid);
  if (found === undefined) return undefined;
  const policy = policyRecord(found);
  if (policy.sound) return policy;
  corrupt(`what ${owner.key} carries from pass to pass does not match its checksum`);
  yield* setAside(owner, found);
  const number = Number((yield* askOne("lastNumber", policy.row))?.["number"] ?? 0);
  const mended = { ...policy, number, carry: null, epoch: 0, floor: 0, lost: true };
  yield* ask("mendPolicy", number, policyChecksum(mended), policy.row);
  return mended;
}

/** Writes a policy's row; undefined where one of a later term is there. */
export function* savePolicy(policy: Omit<PolicyRecord, "row" | "sound">): Work<number | undefined> {
  const { key, uid, number, carry, epoch, floor, lost } = policy;
  const checksum = policyChecksum(policy);
  const saved = yield* askOne("savePolicy", key, uid, number, carry, checksum, epoch, floor, Number(lost));
  return saved === undefined ? undefined : Number(saved["row"]);
}

/** A pass's JSON text; one that is not what was written is set aside, and undefined is answered. */
export function* bodyOf(
  { owner, row: policy }: Policy,
  row: Row,
  corrupt: Corrupt,
): Work<string | undefined> {
  const found = entryRecord(owner, row);
  if (found.body !== undefined) return found.body;
  corrupt(`a pass of ${owner.key} (record ${found.row}) does not match its checksum`);
  yield* setAside(owner, row);
  yield* ask("dropEntry", found.row);
  yield* ask("markLost", policy, found.number);
  return undefined;
}

function* setAside(owner: Owner, row: Row): Work<void> {
  yield* ask("setAside", owner.key, owner.uid, written(row));
  yield* ask("dropOldAside", owner.key, owner.key, LIMITS.aside);
}
