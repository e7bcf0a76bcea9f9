import { expect, test } from "vitest";
import type { Fault } from "../host/fault/index.ts";
import type { Iteration } from "../host/knowledge/index.ts";
import { policy } from "./builders.ts";
import { numbers, pass, place, store } from "./store-bed.ts";

async function broken(sql: string, passes: readonly Iteration[]) {
  const before = await store();
  for (const one of passes) await before.remember(policy(), one);
  await before.close();
  await place().tamper(sql);
  const faults: Fault[] = [];
  return { faults, after: await store({ report: (fault) => faults.push(fault) }) };
}
const damage = (id: string) =>
  `UPDATE iterations SET body = replace(body, '12345678901234567890', '99') WHERE id = '${id}'`;
const scaled = (number: number, rest: Partial<Iteration> = {}) =>
  pass(number, 0, { outcome: "Scaled", ...rest });

/** What is promised of records that are not what was written. */
export function corrupt(): void {
  test("is set aside, which is said once, and the rest is used", async () => {
    const { after, faults } = await broken(damage("pass-2"), [scaled(1), scaled(2), scaled(3)]);
    expect(await numbers(after)).toEqual([3, 1]);
    expect(await numbers(after)).toEqual([3, 1]);
    expect(faults.map((fault) => fault.code)).toEqual(["KnowledgeCorrupt"]);
    expect(faults[0]?.message).toContain("team-a/clicks");
    const aside = await place().rows("SELECT key, record FROM aside");
    expect(aside).toEqual([{ key: "team-a/clicks", record: expect.stringContaining('"id":"pass-2"') }]);
    expect(await after.recall(policy())).not.toHaveProperty("memoryLost");
  });

  test("and is the newest, whoever found it, says that what was remembered is lost, until the next pass", async () => {
    const memory = { nodes: { split: { wrote: 3 } } };
    const { after } = await broken(damage("pass-2"), [scaled(1, { memory }), scaled(2, { memory })]);
    expect(await numbers(after)).toEqual([1]);
    expect(await after.recall(policy())).toMatchObject({ number: 2, memory, memoryLost: true });
    expect(await after.recall(policy())).toMatchObject({ memoryLost: true });
    await after.remember(policy(), scaled(3, { memory }));
    expect(await after.recall(policy())).not.toHaveProperty("memoryLost");
  });

  test("and is gone altogether, says so too", async () => {
    const { after } = await broken("DELETE FROM iterations WHERE id = 'pass-2'", [scaled(1), scaled(2)]);
    expect(await after.recall(policy())).toMatchObject({ number: 2, memoryLost: true });
  });

  test("takes with it the passes that are kept as differences to it, and no others", async () => {
    const { after, faults } = await broken(damage("pass-2"), [
      scaled(1),
      scaled(2),
      pass(3),
      scaled(4),
      pass(5),
    ]);
    expect(await numbers(after)).toEqual([5, 4, 1]);
    expect(faults).toHaveLength(2);
  });

  test("and is the policy's own: the number of the newest pass goes on, without a carry, and with a hold", async () => {
    const change = "UPDATE policies SET carry = '{\"evil\":1}', number = 900, epoch = 77";
    const { after, faults } = await broken(change, [pass(5, 0, { carry: "{}" })]);
    const past = await after.recall(policy());
    expect([past.number, past.carry, past.memoryLost, faults.length]).toEqual([5, undefined, true, 1]);
    const led = await store({ epoch: () => 1 });
    await led.remember(policy(), pass(6));
    expect(await led.recall(policy())).not.toHaveProperty("memoryLost");
  });
}

/** What is promised where another replica has taken over. */
export function terms(): void {
  test("is refused as NotLeader, and what the later one wrote stays", async () => {
    const [old, late] = [await store({ epoch: () => 1 }), await store({ epoch: () => 2 })];
    await old.remember(policy(), pass(1));
    await late.remember(policy(), pass(2));
    await expect(old.remember(policy(), pass(3))).rejects.toMatchObject({
      code: "NotLeader",
      message: expect.stringContaining("term 2"),
    });
    expect(await numbers(late)).toEqual([2, 1]);
  });

  test("is refused also under an earlier uid, and removes nothing of the later policy", async () => {
    const [old, late] = [await store({ epoch: () => 1 }), await store({ epoch: () => 2 })];
    const [first, second] = [policy({ uid: "first" }), policy({ uid: "second" })];
    await old.remember(first, pass(1));
    await late.recall(second);
    await late.remember(second, pass(1));
    expect((await old.recall(first)).number).toBe(0);
    await expect(old.remember(first, pass(2))).rejects.toMatchObject({ code: "NotLeader" });
    expect((await late.recall(second)).number).toBe(1);
  });

  test("does not keep a store that says no term from writing", async () => {
    await (await store({ epoch: () => 7 })).remember(policy(), pass(1));
    const alone = await store();
    await alone.remember(policy(), pass(2));
    expect((await alone.recall(policy())).number).toBe(2);
    await expect((await store({ epoch: () => 6 })).remember(policy(), pass(3))).rejects.toMatchObject({
      code: "NotLeader",
    });
  });
}
