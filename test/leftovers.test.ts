import { expect, test } from "vitest";
import { Fault } from "../host/fault/index.ts";
import { collectLeftovers } from "../host/operator/leftovers.ts";
import type { PolicyKey } from "../host/policy/index.ts";
import { HandTime } from "./kube/hand-time.ts";

/** What is kept of three policies, of which the cluster has one. */
function leftovers(known: () => Promise<readonly PolicyKey[]>) {
  const time = new HandTime();
  const abort = new AbortController();
  const gone: string[] = [];
  const faults: string[] = [];
  let synced = false;
  collectLeftovers({
    ...{ time, signal: abort.signal, known },
    hasSynced: () => synced,
    isHeld: (key) => key === "team/here",
    gone: (key) => gone.push(key),
    onFault: ({ code }) => faults.push(code),
  });
  const turn = async () => {
    time.pass(1_000);
    await new Promise(setImmediate);
  };
  return { gone, faults, abort, time, turn, sync: () => (synced = true) };
}
const keys = ["team/a", "team/b", "team/here"] as PolicyKey[];

test("what is kept of policies that are no more is found once all policies have been read, and not before", async () => {
  const { gone, turn, sync, time } = leftovers(async () => keys);
  await turn();
  expect(gone).toEqual([]);
  sync();
  await turn();
  expect(gone).toEqual(["team/a", "team/b"]);
  expect(time.alarms).toBe(0);
});

test("knowledge that is away is said and asked again", async () => {
  let asked = 0;
  const { gone, faults, turn, sync } = leftovers(async () => {
    asked += 1;
    if (asked === 1) throw new Fault("StoreUnavailable", "away");
    return keys;
  });
  sync();
  await turn();
  expect([gone, faults]).toEqual([[], ["StoreUnavailable"]]);
  await turn();
  expect(gone).toEqual(["team/a", "team/b"]);
});

test("nothing is looked for any more once the operator ends", async () => {
  const { gone, turn, sync, abort } = leftovers(async () => keys);
  abort.abort();
  sync();
  await turn();
  await turn();
  expect(gone).toEqual([]);
});
