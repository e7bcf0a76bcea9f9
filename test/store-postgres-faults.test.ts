import { afterAll, describe, expect, test } from "vitest";
import { openStore } from "../host/store/index.ts";
import { policy } from "./builders.ts";
import { clock, numbersIn, pass } from "./store-bed.ts";
import { killedWhileRemembering } from "./store-child.ts";
import { placeOn, server } from "./store-servers.ts";

const started = await server();
afterAll(() => started?.stop());
const real = () => {
  if (started === undefined) throw new Error("there is no PostgreSQL here");
  return started;
};
const away = { code: "StoreUnavailable", retry: true };

describe.skipIf(started === undefined)("knowledge in PostgreSQL", () => {
  test("has what was acknowledged though the server was killed, and the same store goes on with the next", async () => {
    await using here = await placeOn(real());
    const knowledge = await here.open();
    const asked = Array.from({ length: 60 }, (_, at) => at + 1);
    const acknowledged: number[] = [];
    const remembered = asked.map(async (number) => {
      await knowledge.remember(policy({ key: `team/${number % 4}` as never }), pass(number));
      acknowledged.push(number);
    });
    await remembered[0];
    const killed = real().kill();
    await Promise.allSettled(remembered);
    await killed;
    await expect(knowledge.recall(policy())).rejects.toMatchObject(away);
    await real().start();
    const kept = await Promise.all([0, 1, 2, 3].map((at) => numbersIn(knowledge, `team/${at}`)));
    expect(acknowledged.length).toBeGreaterThan(0);
    expect(acknowledged.filter((number) => !kept.flat().includes(number))).toEqual([]);
    await knowledge.remember(policy(), pass(100));
    expect((await knowledge.recall(policy())).number).toBe(100);
  });

  test("that stops answering is unavailable in time, and is used again once it goes on", async () => {
    await using here = await placeOn(real());
    const knowledge = await openStore({ url: here.url, clock, answerMs: 1_000 });
    await knowledge.remember(policy(), pass(1));
    await real().signal("SIGSTOP");
    try {
      await expect(knowledge.remember(policy(), pass(2))).rejects.toMatchObject(away);
      await expect(knowledge.recall(policy())).rejects.toMatchObject(away);
    } finally {
      await real().signal("SIGCONT");
    }
    await knowledge.remember(policy(), pass(3));
    expect(await numbersIn(knowledge, policy().key)).toContain(1);
    expect((await knowledge.recall(policy())).number).toBe(3);
    await knowledge.close();
  });

  test("has a pass whose remember() resolved, though the process was killed at once", async () => {
    await using here = await placeOn(real());
    expect(await killedWhileRemembering({ url: here.url })).toBe("SIGKILL");
    const passes = await (await here.open()).entries(policy().key, 1_000);
    expect(passes.at(-1)?.id).toBe("pass-41");
  });
});
