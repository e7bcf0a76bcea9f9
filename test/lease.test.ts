import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Random } from "./fuzz/random.ts";
import { Candidate, LeaseServer, type Line } from "./lease-bed.ts";
import { World } from "./simulation/time.ts";

const START_MS = Date.UTC(2026, 0, 1);

/** Candidates for one lease, and whether ever two of them believed to hold it at once. */
function election(seed: number, rates: readonly number[], line: Line = { loss: 0, delayMs: 20 }) {
  const world = new World(new Random(seed));
  const server = new LeaseServer();
  let most = 0;
  const holders = () => candidates.filter(({ elector }) => elector.isHeld());
  const look = () => void (most = Math.max(most, holders().length));
  const candidates = rates.map((rate, at) => new Candidate(world, server, line, `replica-${at}`, rate, look));
  return { world, server, line, candidates, holders, most: () => most };
}

test("one candidate takes a lease that is not there, in its first epoch, and keeps it", async () => {
  const { world, candidates, server } = election(1, [1]);
  candidates[0]?.elector.want();
  await world.run(START_MS + 60_000);
  expect(candidates[0]?.changes).toEqual([true]);
  expect(server.get("shard-0")["spec"]).toMatchObject({
    holderIdentity: "replica-0",
    leaseDurationSeconds: 15,
    acquireTime: expect.stringMatching(/^2026-01-01T00:00:0\d\.\d{6}Z$/),
    leaseTransitions: 1,
  });
});

test("a holder that stands still no longer believes in its lease when another takes it, 15 s after its last word", async () => {
  const { world, candidates, holders, most } = election(2, [1, 1]);
  candidates[0]?.elector.want();
  await world.run(START_MS + 10_000);
  candidates[1]?.elector.want();
  await world.run(START_MS + 20_000);
  expect(holders()).toEqual([candidates[0]]);
  candidates[0]?.freeze(START_MS + 120_000);
  await world.run(START_MS + 30_500);
  expect(holders()).toEqual([]);
  await world.run(START_MS + 40_000);
  expect(holders()).toEqual([candidates[1]]);
  await world.run(START_MS + 180_000);
  expect(holders()).toEqual([candidates[1]]);
  expect(candidates[1]?.elector.epoch).toBe(2);
  expect(most()).toBe(1);
});

test("a lease that is given back is another's within one attempt", async () => {
  const { world, candidates, holders } = election(3, [1, 1]);
  candidates[0]?.elector.want();
  await world.run(START_MS + 5_000);
  candidates[1]?.elector.want();
  await world.run(START_MS + 10_000);
  const released = candidates[0]?.elector.end();
  expect(holders()).toEqual([]);
  await world.run(START_MS + 12_500);
  await released;
  expect(holders()).toEqual([candidates[1]]);
});

test("a lease whose count begins anew is held in an epoch above the one that is known", async () => {
  const { world, candidates, server } = election(4, [1]);
  candidates[0]?.elector.want();
  await world.run(START_MS + 5_000);
  candidates[0]?.elector.exceed(41);
  await world.run(START_MS + 10_000);
  expect(candidates[0]?.elector.epoch).toBe(42);
  expect(server.get("shard-0")["spec"]).toMatchObject({ leaseTransitions: 42 });
});

test("whatever is lost, late or stands still, and with clocks a third apart, never do two hold a lease, and in the end one does", async () => {
  const trouble = fc.record({
    atMs: fc.integer({ min: 0, max: 120_000 }),
    who: fc.nat({ max: 2 }),
    act: fc.constantFrom("freeze", "lossy", "slow", "fine", "release"),
    forMs: fc.integer({ min: 500, max: 40_000 }),
  });
  const run = async (seed: number, rates: readonly number[], troubles: readonly Trouble[]) => {
    const { world, line, candidates, holders, most } = election(seed, rates);
    for (const { elector } of candidates) elector.want();
    for (const { atMs, who, act, forMs } of troubles) {
      world.after(atMs, () => {
        if (act === "freeze") candidates[who]?.freeze(START_MS + atMs + forMs);
        if (act === "lossy") line.loss = 0.6;
        if (act === "slow") line.delayMs = forMs / 4;
        if (act === "fine") Object.assign(line, { loss: 0, delayMs: 20 });
        if (act === "release")
          void candidates[who]?.elector.release().then(() => candidates[who]?.elector.want());
      });
    }
    await world.run(START_MS + 170_000);
    Object.assign(line, { loss: 0, delayMs: 20 });
    await world.run(START_MS + 230_000);
    expect(most()).toBe(1);
    expect(holders()).toHaveLength(1);
    for (const { elector } of candidates) void elector.end();
    await world.run(START_MS + 260_000);
  };
  const rate = fc.double({ min: 0.85, max: 1.2, noNaN: true });
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.tuple(rate, rate, rate), fc.array(trouble, { maxLength: 12 }), run),
    { numRuns: 150, endOnFailure: true },
  );
});

interface Trouble {
  readonly atMs: number;
  readonly who: number;
  readonly act: string;
  readonly forMs: number;
}
