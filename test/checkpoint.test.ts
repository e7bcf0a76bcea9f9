import { expect, test } from "vitest";
import { checkpointOf, isNewer, meaningOf, pastFrom, readCheckpoint } from "../host/operator/checkpoint.ts";
import type { Memory, Past } from "../host/knowledge/index.ts";
import { iteration, verdict } from "./builders.ts";

const own = (rest: Partial<Past> = {}): Past => ({
  number: 0,
  carry: undefined,
  history: [],
  open: undefined,
  ...rest,
});
const said = (...wants: (readonly [number, number])[]): Memory => ({ nodes: { split: { wants } } });

test("passes that want the same again and again leave one checkpoint, whatever their numbers", () => {
  const first = checkpointOf(iteration({ number: 7, memory: said([1_000, 5], [2_000, 7]) }), 3);
  const second = checkpointOf(iteration({ number: 8, memory: said([1_000, 5], [2_000, 7], [3_000, 7]) }), 3);
  const third = checkpointOf(iteration({ number: 9, memory: said([1_000, 5], [3_000, 7], [4_000, 4]) }), 3);
  expect(meaningOf(second)).toBe(meaningOf(first));
  expect(meaningOf(third)).not.toBe(meaningOf(first));
});

test("another epoch is another checkpoint, so that a new owner is known by it", () => {
  const pass = iteration();
  expect(meaningOf(checkpointOf(pass, 4))).not.toBe(meaningOf(checkpointOf(pass, 3)));
});

test("what was wanted last counts as said until it was read, and what was wanted before keeps its time", () => {
  const checkpoint = checkpointOf(
    iteration({ memory: said([1_000, 5], [2_000, 5], [3_000, 7], [4_000, 7]) }),
    1,
  );
  expect(pastFrom(checkpoint, own(), 90_000).memory).toEqual(said([2_000, 5], [90_000, 7]));
});

test("an open decision comes back open, with what became of its nodes so far", () => {
  const change = { node: "split", from: 2, to: 16, revision: "41" };
  const decision = { verdicts: [verdict("split")], changes: [change] };
  const open = iteration({ id: "7@x", outcome: "Open", generation: 2, decision });
  const stored: unknown = JSON.parse(JSON.stringify(checkpointOf(open, 1)));
  const past = pastFrom(readCheckpoint(stored) as never, own({ number: 3 }), 0);
  expect(past.open).toMatchObject({ id: "7@x", outcome: "Open", generation: 2, decision, changes: [] });
  expect(past.number).toBe(7);
});

test("a decision that is done is not open", () => {
  expect(checkpointOf(iteration({ outcome: "Scaled" }), 1).open).toBeUndefined();
});

test("a memory above 8 KiB is left out, and said to be lost", () => {
  const wants = Array.from({ length: 1_000 }, (_, at) => [at * 1_000, at % 9] as const);
  const checkpoint = checkpointOf(iteration({ memory: said(...wants) }), 1);
  expect(checkpoint).toEqual({ version: 1, epoch: 1, number: 7, lost: true });
  expect(pastFrom(checkpoint, own(), 0).memoryLost).toBe(true);
});

test("a checkpoint counts where its epoch is above the one that this replica wrote under, or its number is higher", () => {
  const checkpoint = checkpointOf(iteration({ number: 7 }), 3);
  const wrote = (epoch: number, number: number) => own({ number, memory: { nodes: {}, epoch } });
  expect(
    [own(), wrote(2, 900), wrote(3, 6), wrote(3, 7), wrote(4, 1)].map((one) => isNewer(checkpoint, one)),
  ).toEqual([true, true, true, false, false]);
});

test("what is no checkpoint is a fault, and nothing at all is none", () => {
  expect(readCheckpoint(undefined)).toBeUndefined();
  for (const value of [
    1,
    {},
    { version: 2, epoch: 1, number: 1 },
    { version: 1, epoch: 1, number: 1, open: {} },
  ]) {
    expect(() => readCheckpoint(value)).toThrow("status.checkpoint is not as the operator wrote it");
  }
});
