import { policyOf, savePolicy, bodyOf, saveEntry, type Corrupt } from "./knowledge.ts";
import { LIMITS } from "./limits.ts";
import type { Dump, Taken } from "./messages.ts";
import { FORMAT } from "./record.ts";
import { ask, askOne, type Work } from "./statements.ts";

/** All that is known of whoever has this name now; undefined where that is nothing. */
export function* dump({ key }: { key: string }, corrupt: Corrupt): Work<Dump | undefined> {
  const newest = yield* askOne("newestPolicy", key);
  if (newest === undefined) return undefined;
  const owner = { key, uid: String(newest["uid"]) };
  const policy = yield* policyOf("policy", owner, corrupt);
  if (policy === undefined) return undefined;
  const { row, floor, uid, number, carry, epoch } = policy;
  const passes: Dump["passes"][number][] = [];
  let lost = policy.lost;
  for (const one of yield* ask("newest", row, floor, LIMITS.entries)) {
    const body = yield* bodyOf({ owner, row }, one, corrupt);
    if (body === undefined) lost ||= Number(one["number"]) >= number;
    else passes.push({ ...passOf(one), body });
  }
  const bodies = (yield* ask("allBodies", row, floor)).map((one) => ({
    digest: String(one["digest"]),
    number: Number(one["number"]),
    bytes: new Uint8Array(one["bytes"] as Uint8Array),
  }));
  const aside = (yield* ask("aside", key)).map((one) => String(one["record"]));
  const bytes = Number((yield* askOne("size", row, row))?.["size"] ?? 0);
  return {
    policy: { key, uid, number, carry, epoch, lost },
    bytes,
    passes: passes.toReversed(),
    bodies,
    aside,
  };
}

const passOf = (row: Readonly<Record<string, unknown>>) => ({
  id: String(row["id"]),
  number: Number(row["number"]),
  atMs: Number(row["at_ms"]),
  outcome: String(row["outcome"]),
  decided: Number(row["decided"]) === 1,
  compact: Number(row["format"]) === FORMAT.delta,
});

/** Puts back what `dump` took. False where something is known under the name already and is not to be replaced. */
export function* load({ dump: given, replace }: { dump: Taken; replace: boolean }): Work<boolean> {
  const { policy, passes, bodies } = given;
  if ((yield* askOne("newestPolicy", policy.key)) !== undefined && !replace) return false;
  yield* ask("dropAll", policy.key);
  const row = yield* savePolicy({ ...policy, floor: 0 });
  if (row === undefined) return false;
  for (const pass of passes)
    yield* saveEntry({ owner: policy, row }, { ...pass, bodies: [], carry: undefined });
  for (const { digest, number, bytes } of bodies) yield* ask("saveBody", row, digest, number, bytes);
  return true;
}
