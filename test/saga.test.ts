import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { followUpSeconds } from "../host/loop/index.ts";
import { REFUSALS, SagaBed, type Death } from "./saga-bed.ts";

interface Shape {
  readonly nodes: Record<string, number>;
  readonly wants: Record<string, number>;
  /** Nodes that a webhook refuses for good. */
  readonly refused?: readonly string[];
  /** What the application comes to. */
  readonly ends: Record<string, number>;
}
const SHAPES: Readonly<Record<string, Shape>> = {
  "one node up": { nodes: { a: 2 }, wants: { a: 5 }, ends: { a: 5 } },
  "one node down": { nodes: { a: 5 }, wants: { a: 2 }, ends: { a: 2 } },
  "three nodes, mixed": {
    nodes: { a: 6, b: 2, c: 3 },
    wants: { a: 3, b: 4, c: 7 },
    ends: { a: 3, b: 4, c: 7 },
  },
  "three nodes of which one is refused": {
    nodes: { a: 6, b: 2, c: 3 },
    wants: { a: 3, b: 4, c: 7 },
    refused: ["b"],
    ends: { a: 3, b: 2, c: 7 },
  },
};

function bedOf({ nodes, wants, refused = [] }: Shape): SagaBed {
  const bed = new SagaBed(nodes);
  bed.wants = wants;
  for (const node of refused) bed.refuses.set(node, REFUSALS.webhook);
  return bed;
}

/**
 * No node twice for one decision, none without one that is stored, and no decision that nothing became of. A node that
 * somebody set back by hand to what a decision began with looks as if it had not been written, and is written again.
 */
function expectNothingDoubledOrLost(bed: SagaBed, byHand: ReadonlySet<string> = new Set()): void {
  const alone = bed.writes.filter(({ node }) => !byHand.has(node));
  const keys = alone.map(({ decision, node }) => `${decision} ${node}`);
  expect(new Set(keys).size).toBe(keys.length);
  for (const { node, from, to, decision } of bed.writes) {
    const stored = bed.records.get(decision ?? "")?.decision?.changes;
    expect(stored).toContainEqual(expect.objectContaining({ node, from, to }));
  }
  expect(bed.overtaken).toEqual([]);
  for (const { outcome, decision, changes } of bed.decisions()) {
    expect(["Scaled", "PartlyScaled", "Failed", "Abandoned"]).toContain(outcome);
    expect(changes.map(({ node }) => node)).toEqual(decision?.changes.map(({ node }) => node));
  }
}

/** How many steps the pass has that makes and carries out the decision. */
async function stepsOf(shape: Shape): Promise<number> {
  const bed = bedOf(shape);
  await bed.pass();
  return bed.steps;
}

describe.each(Object.entries(SHAPES))("with %s", (_name, shape) => {
  test.each(["before", "after"] as const)(
    "a process that ends %s any step of a pass leaves nothing undone, and does nothing twice",
    async (when) => {
      const steps = await stepsOf(shape);
      expect(steps).toBeGreaterThanOrEqual(6);
      for (let at = 1; at <= steps; at += 1) {
        const bed = bedOf(shape);
        expect(await bed.pass({ at, when })).toBeUndefined();
        const stored = bed.decisions();
        await bed.pass();
        await bed.pass();
        expect(bed.replicas()).toEqual(shape.ends);
        expectNothingDoubledOrLost(bed);
        expect(bed.writes).toHaveLength(Object.keys(shape.ends).length - (shape.refused?.length ?? 0));
        // What was stored is finished, not made anew.
        const made = bed.decisions().map(({ id }) => id);
        expect(made).toHaveLength(1);
        expect(made).toEqual(expect.arrayContaining(stored.map(({ id }) => id)));
      }
    },
  );

  test("a process that ends again while it finishes leaves nothing undone, and does nothing twice", async () => {
    const steps = await stepsOf(shape);
    for (let first = 1; first <= steps; first += 1) {
      for (let second = 1; second <= steps; second += 1) {
        const bed = bedOf(shape);
        await bed.pass({ at: first, when: "after" });
        await bed.pass({ at: second, when: "before" });
        await bed.pass();
        await bed.pass();
        expect(bed.replicas()).toEqual(shape.ends);
        expectNothingDoubledOrLost(bed);
      }
    }
  });
});

const death = (): fc.Arbitrary<Death | undefined> =>
  fc.option(
    fc.record({ at: fc.integer({ min: 1, max: 30 }), when: fc.constantFrom("before" as const, "after") }),
    { nil: undefined },
  );
const node = fc.constantFrom("a", "b", "c");
const number = fc.integer({ min: 1, max: 16 });

test("whatever ends, is refused, rolls out or is set by hand, no decision writes twice and none is lost", async () => {
  const meddling = fc.array(
    fc.record({
      step: fc.integer({ min: 1, max: 30 }),
      node,
      // A rollout moves the version and nothing else.
      to: fc.option(number, { nil: undefined }),
    }),
    { maxLength: 4 },
  );
  const run = fc.record({
    death: death(),
    wants: fc.record({ a: number, b: number, c: number }),
    down: fc.option(node, { nil: undefined }),
    leads: fc.constantFrom(true, true, true, false),
    seconds: fc.constantFrom(1, 15, 45, 300),
    meddling,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(run, { minLength: 2, maxLength: 8 }), async (runs) => {
      const bed = new SagaBed({ a: 1, b: 4, c: 8 });
      let unlawful = 0;
      const byHand = new Set<string>();
      for (const one of runs) {
        bed.wants = one.wants;
        bed.refuses.clear();
        if (one.down !== undefined) bed.refuses.set(one.down, REFUSALS.down);
        bed.mayWrite = () => (one.leads ? undefined : REFUSALS.notLeader);
        const before = bed.writes.length;
        bed.meanwhile = (step) => {
          for (const other of one.meddling.filter((each) => each.step === step)) {
            bed.set(other.node, other.to ?? bed.replicas()[other.node] ?? 1);
            if (other.to !== undefined) byHand.add(other.node);
          }
        };
        await bed.pass(one.death);
        unlawful += one.leads ? 0 : bed.writes.length - before;
        bed.nowMs += one.seconds * 1_000;
      }
      expect(unlawful).toBe(0);
      bed.meanwhile = () => undefined;
      bed.mayWrite = undefined;
      bed.refuses.clear();
      bed.wants = { a: 2, b: 2, c: 2 };
      for (let pass = 0; pass < 3; pass += 1) await bed.pass();
      expect(bed.replicas()).toEqual({ a: 2, b: 2, c: 2 });
      expectNothingDoubledOrLost(bed, byHand);
    }),
    { numRuns: 1_000 },
  );
}, 60_000);

describe("a decision that was left open", () => {
  const left = async (rest: { down?: string } = {}) => {
    const bed = new SagaBed({ a: 2, b: 2 });
    bed.wants = { a: 4, b: 5 };
    if (rest.down !== undefined) bed.refuses.set(rest.down, REFUSALS.down);
    return bed;
  };

  test("by an API server that was down for one node is finished for that node alone, under its own number", async () => {
    const bed = await left({ down: "b" });
    const first = await bed.pass();
    expect(first).toMatchObject({ number: 1, outcome: "Open", fault: { code: "ClusterUnavailable" } });
    expect(bed.replicas()).toEqual({ a: 4, b: 2 });
    bed.refuses.clear();
    // What the algorithm wants by now waits for its turn.
    bed.wants = { a: 9, b: 9 };
    const second = await bed.pass();
    expect(second).toMatchObject({ number: 1, outcome: "Scaled", resumed: true, fault: undefined });
    expect(bed.replicas()).toEqual({ a: 4, b: 5 });
    expect(followUpSeconds(second!)).toBe(1);
    expect(await bed.pass()).toMatchObject({ number: 2, outcome: "Scaled" });
    expect(bed.replicas()).toEqual({ a: 9, b: 9 });
  });

  test("by a replica that lost its lease is not written by it any more, and is finished by the next", async () => {
    const bed = await left();
    let asked = 0;
    bed.mayWrite = () => ((asked += 1) > 1 ? REFUSALS.notLeader : undefined);
    expect(await bed.pass()).toMatchObject({ outcome: "Open", fault: { code: "NotLeader" } });
    expect(bed.replicas()).toEqual({ a: 4, b: 2 });
    bed.mayWrite = undefined;
    expect(await bed.pass()).toMatchObject({ number: 1, outcome: "Scaled" });
    expect(bed.replicas()).toEqual({ a: 4, b: 5 });
  });

  test("leaves alone a node that somebody else set meanwhile, and says so", async () => {
    const bed = await left({ down: "b" });
    await bed.pass();
    bed.refuses.clear();
    bed.set("b", 11);
    const second = await bed.pass();
    expect(second).toMatchObject({ number: 1, outcome: "PartlyScaled", fault: { code: "Conflict" } });
    expect(bed.replicas()).toEqual({ a: 4, b: 11 });
  });

  test.each([
    ["is older than a minute and three intervals", 61_000, {}],
    ["is of the future, since the clock was set back", -1_000, {}],
    ["was made for another generation of the policy", 0, { generation: 2 }],
  ] as const)("and %s is abandoned with a record, and another is made", async (_what, passMs, rest) => {
    const bed = await left({ down: "b" });
    await bed.pass();
    bed.refuses.clear();
    bed.nowMs += passMs;
    bed.wants = { a: 3, b: 3 };
    expect(await bed.pass(undefined, rest)).toMatchObject({ number: 2, outcome: "Scaled" });
    expect(bed.decisions()[0]).toMatchObject({
      outcome: "Abandoned",
      fault: { code: "DecisionAbandoned" },
      changes: [
        { node: "a", outcome: "Scaled" },
        { node: "b", outcome: "Failed", code: "DecisionAbandoned" },
      ],
    });
    expect(bed.replicas()).toEqual({ a: 3, b: 3 });
  });

  test("is resumed up to three intervals after it was made", async () => {
    const bed = await left({ down: "b" });
    await bed.pass(undefined, { intervalSeconds: 60 });
    bed.refuses.clear();
    bed.nowMs += 180_000;
    expect(await bed.pass(undefined, { intervalSeconds: 60 })).toMatchObject({
      number: 1,
      outcome: "Scaled",
    });
  });

  test("stops asking an API server that has not answered three times in a row", async () => {
    const bed = new SagaBed({ a: 1, b: 1, c: 1, d: 1, e: 1 });
    bed.wants = { a: 2, b: 2, c: 2, d: 2, e: 2 };
    for (const node of ["a", "b", "c"]) bed.refuses.set(node, REFUSALS.down);
    const pass = await bed.pass();
    expect(pass?.changes.map(({ node }) => node)).toEqual(["a", "b", "c"]);
    expect(bed.replicas()).toEqual({ a: 1, b: 1, c: 1, d: 1, e: 1 });
  });
});

test("growth is written before shrinking, and upstream before downstream", async () => {
  const bed = new SagaBed({ a: 6, b: 2, c: 3, d: 5 });
  bed.wants = { a: 3, b: 4, c: 7, d: 1 };
  await bed.pass();
  expect(bed.writes.map(({ node, from, to }) => `${node} ${from} ${to}`)).toEqual([
    "b 2 4",
    "c 3 7",
    "a 6 3",
    "d 5 1",
  ]);
});

test("a rollout that moves the target with every read of it does not keep the number from being written", async () => {
  const bed = new SagaBed({ a: 2 });
  bed.wants = { a: 4 };
  let left = 5;
  // The version moves just before each of the first five writes.
  bed.mayWrite = (): undefined => {
    if (left > 0) bed.set("a", 2);
    left -= 1;
  };
  expect(await bed.pass()).toMatchObject({ outcome: "Scaled" });
  expect(left).toBe(-1);
  expect(bed.writes).toHaveLength(1);
});
