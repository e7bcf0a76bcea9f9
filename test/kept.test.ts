import { expect, test } from "vitest";
import { Kept } from "../host/operator/kept.ts";
import { HandTime } from "./kube/hand-time.ts";

/** Something whose reads can be counted. */
function counted() {
  const time = new HandTime();
  const kept = new Kept<string>(time);
  const reads: string[] = [];
  const ask = (key: string, read = () => Promise.resolve(`${key} ${String(reads.length)}`)) =>
    kept.get(key, () => {
      reads.push(key);
      return read();
    });
  return { time, kept, reads, ask };
}

test("what is kept is read once in twenty seconds, and by nobody else's key", async () => {
  const { time, reads, ask } = counted();
  expect(await Promise.all([ask("a"), ask("a"), ask("b")])).toEqual(["a 1", "a 1", "b 2"]);
  time.pass(19_999);
  expect(await ask("a")).toBe("a 1");
  time.pass(1);
  expect(await ask("a")).toBe("a 3");
  expect(reads).toEqual(["a", "b", "a"]);
});

test("what is kept is gone after its time although nobody asks, and all of it at once when told so", async () => {
  const { time, kept, ask } = counted();
  await ask("a");
  expect(time.alarms).toBe(1);
  time.pass(20_000);
  expect(time.alarms).toBe(0);
  await ask("b");
  kept.clear();
  expect(time.alarms).toBe(0);
  expect(await ask("b")).toBe("b 3");
});

test("a read that failed is not kept", async () => {
  const { ask, time } = counted();
  await expect(ask("a", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(time.alarms).toBe(0);
  expect(await ask("a")).toBe("a 2");
});

test("of more than a thousand the oldest is read again", async () => {
  const { ask } = counted();
  for (let at = 0; at <= 1_000; at += 1) await ask(`key-${String(at)}`);
  expect(await ask("key-1")).toBe("key-1 2");
  expect(await ask("key-0")).toBe("key-0 1002");
});
