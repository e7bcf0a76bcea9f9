import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FairQueue } from "../host/engine/supervisor/queue.ts";

const HOUR_MS = 3_600_000;

/** Serves the next piece for so many milliseconds of processor time; returns whose it was. */
function serve<T>(queue: FairQueue<T>, costMs: number, nowMs = 0): string | undefined {
  const taken = queue.take(nowMs);
  if (taken !== undefined) queue.charge(taken, costMs, nowMs);
  return taken?.tenant;
}
function pushAll(queue: FairQueue<number>, tenant: string, pieces: number): void {
  for (let at = 0; at < pieces; at += 1) queue.push(tenant, at);
}

const cost = fc.integer({ min: 1, max: 250 });
const tenant = fc.constantFrom("a", "b", "c", "d");

describe("tenants that wait for a process", () => {
  test("take turns where their passes cost the same", () => {
    const queue = new FairQueue<number>();
    pushAll(queue, "a", 3);
    pushAll(queue, "b", 3);
    expect(Array.from({ length: 7 }, () => serve(queue, 10))).toEqual([
      "a",
      "b",
      "a",
      "b",
      "a",
      "b",
      undefined,
    ]);
  });

  test("get the same processor time, not the same number of passes: 10 ms four times as often as 40 ms", () => {
    const queue = new FairQueue<number>();
    pushAll(queue, "light", 8);
    pushAll(queue, "heavy", 2);
    const order = Array.from({ length: 10 }, () => {
      const taken = queue.take(0);
      if (taken !== undefined) queue.charge(taken, taken.tenant === "light" ? 10 : 40, 0);
      return taken?.tenant;
    });
    const first = order.slice(0, 6);
    expect(first.filter((one) => one === "light")).toHaveLength(4);
    expect(first.filter((one) => one === "heavy")).toHaveLength(2);
  });

  test("come in the order of what they used lately where nothing else tells them apart", () => {
    const queue = new FairQueue<number>();
    for (const [name, costMs] of [["much", 200] as const, ["little", 20] as const]) {
      queue.push(name, 0);
      serve(queue, costMs);
    }
    // Nobody waits: what was owed to the shared clock is settled, what was used is remembered.
    queue.forget(0);
    for (const name of ["much", "little", "new"]) queue.push(name, 0);
    expect([serve(queue, 1), serve(queue, 1), serve(queue, 1)]).toEqual(["new", "little", "much"]);
  });

  test("are forgiven what they used an hour ago: then the earlier one goes first", () => {
    const queue = new FairQueue<number>();
    queue.push("much", 0);
    serve(queue, 200);
    queue.forget(HOUR_MS);
    expect(queue.size).toBe(0);
    queue.push("much", 0);
    queue.push("new", 0);
    expect(serve(queue, 1, HOUR_MS)).toBe("much");
  });

  test("are passed over while there is no process for them, and lose nothing by it", () => {
    const queue = new FairQueue<number>();
    pushAll(queue, "a", 2);
    pushAll(queue, "b", 2);
    expect(queue.take(0, (one) => one === "b")?.tenant).toBe("b");
    expect(queue.take(0, () => false)).toBeUndefined();
    expect(queue.take(0)?.tenant).toBe("a");
  });

  test("are left out when their only piece was taken back", () => {
    const queue = new FairQueue<number>();
    queue.push("a", 1);
    expect(queue.remove("a", 1)).toBe(true);
    expect(queue.remove("a", 1)).toBe(false);
    expect(queue.take(0)).toBeUndefined();
  });
});

describe("whatever is asked and whatever it costs", () => {
  test("a tenant's thousand pieces make another's wait for the one that runs, and for no second one", () => {
    fc.assert(
      fc.property(fc.array(cost, { maxLength: 50 }), cost, fc.boolean(), (costs, last, wasHere) => {
        const queue = new FairQueue<number>();
        if (wasHere) {
          queue.push("one", 0);
          serve(queue, 1);
        }
        pushAll(queue, "thousand", 1_000);
        for (const one of costs) serve(queue, one);
        const running = queue.take(0);
        if (running === undefined) throw new Error("nothing ran");
        queue.push("one", 0);
        queue.charge(running, last, 0);
        expect(serve(queue, 1)).toBe("one");
      }),
    );
  });

  test("two tenants that both wait all the time are never further apart than their longest pieces together", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(cost, cost), { minLength: 1, maxLength: 200 }), (costs) => {
        const queue = new FairQueue<number>();
        const used = { a: 0, b: 0 };
        pushAll(queue, "a", 1_000);
        pushAll(queue, "b", 1_000);
        const longest = Math.max(...costs.map(([one]) => one)) + Math.max(...costs.map(([, other]) => other));
        for (const [one, other] of costs) {
          const taken = queue.take(0);
          if (taken === undefined) throw new Error("nothing was taken");
          const name = taken.tenant === "a" ? "a" : "b";
          used[name] += name === "a" ? one : other;
          queue.charge(taken, name === "a" ? one : other, 0);
          expect(Math.abs(used.a - used.b)).toBeLessThanOrEqual(longest);
        }
      }),
    );
  });

  test("every piece is served once, those of a tenant in their order, and somebody is as long as anybody waits", () => {
    const step = fc.oneof(
      fc.record({ push: tenant }),
      fc.record({ serve: cost }),
      fc.record({ forget: fc.constant(true) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const queue = new FairQueue<number>();
        const waiting = new Map<string, number[]>();
        let pieces = 0;
        const serveOne = (costMs: number, nowMs: number) => {
          const taken = queue.take(nowMs);
          const left = [...waiting.values()].flat().length;
          expect(taken === undefined).toBe(left === 0);
          if (taken === undefined) return;
          expect(taken.item).toBe(waiting.get(taken.tenant)?.shift());
          queue.charge(taken, costMs, nowMs);
        };
        for (const [nowMs, one] of steps.entries()) {
          if ("push" in one) {
            pieces += 1;
            queue.push(one.push, pieces);
            waiting.set(one.push, [...(waiting.get(one.push) ?? []), pieces]);
          } else if ("serve" in one) serveOne(one.serve, nowMs);
          else queue.forget(nowMs);
        }
        for (const _piece of [...waiting.values()].flat()) serveOne(1, steps.length);
        expect(queue.take(steps.length)).toBeUndefined();
        queue.forget(steps.length + HOUR_MS);
        expect(queue.size).toBe(0);
      }),
    );
  });

  test("no tenant waits for more than one piece of each of the others while several processes serve", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(cost, { minLength: 60, maxLength: 60 }),
        (processes, costs) => {
          const queue = new FairQueue<number>();
          for (const name of ["a", "b", "c"]) pushAll(queue, name, 1_000);
          const running = Array.from({ length: processes }, () => queue.take(0));
          for (const one of costs) {
            const ended = running.shift();
            if (ended !== undefined) queue.charge(ended, one, 0);
            running.push(queue.take(0));
          }
          queue.push("late", 0);
          const [ended] = running;
          if (ended !== undefined) queue.charge(ended, 1, 0);
          const order = Array.from({ length: 4 }, () => queue.take(0)?.tenant);
          expect(order).toContain("late");
        },
      ),
    );
  });
});
