import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { Fault } from "../host/fault/index.ts";
import { policyKey } from "../host/policy/index.ts";
import { policy } from "./builders.ts";
import {
  asking,
  egressAt,
  get,
  grant,
  httpBed,
  leave,
  outcome,
  NEVER,
  rule,
  speaking,
  url,
} from "./egress/bed.ts";

afterEach(leave);

describe("a server that means ill", () => {
  const OK = "HTTP/1.1 200 OK\r\n";
  const endless = (piece: string) => (socket: Socket) => {
    socket.on("error", () => undefined);
    const more = (): void => {
      while (!socket.destroyed && socket.write(piece));
      if (!socket.destroyed) socket.once("drain", more);
    };
    more();
  };

  test("may send 256 KiB, and not a byte more", async () => {
    const exact = await httpBed((_, response) => response.end("a".repeat(262_144)));
    expect((await asking(exact)).length).toBe("200 ".length + 262_144);
    const more = await httpBed((_, response) => response.end("a".repeat(262_145)));
    expect(await asking(more)).toBe("TooLarge");
    const chunked = await httpBed((_, response) => {
      response.write("a".repeat(262_144));
      response.end("a");
    });
    expect(await asking(chunked)).toBe("TooLarge");
  });

  test.each([
    ["chunks without end", `${OK}transfer-encoding: chunked\r\n\r\n`, `400\r\n${"a".repeat(1_024)}\r\n`],
    ["headers without end", OK, `x-a: ${"a".repeat(1_000)}\r\n`],
    ["one header without end", `${OK}x-a: `, "a".repeat(10_000)],
    ["interim answers without end", "", "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n"],
    [
      "chunk extensions without end",
      `${OK}transfer-encoding: chunked\r\n\r\n`,
      `1;${"a".repeat(1_000)}\r\na\r\n`,
    ],
    ["an announced gigabyte", `${OK}content-length: 1000000000\r\n\r\n`, "a".repeat(1_000)],
  ])("by %s is cut off before a second is over", async (_, head, piece) => {
    const bed = await speaking(head, endless(piece));
    const began = performance.now();
    expect(await asking(bed)).toMatch(/^(TooLarge|Broken)$/);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test("by one byte in a while is cut off at the deadline, and its connection closed", async () => {
    const closed = Promise.withResolvers<number>();
    const bed = await speaking(`${OK}content-length: 1000\r\n\r\n`, (socket) => {
      const began = performance.now();
      const timer = setInterval(() => socket.write("a"), 20);
      socket
        .on("error", () => undefined)
        .on("close", () => {
          clearInterval(timer);
          closed.resolve(performance.now() - began);
        });
    });
    const began = performance.now();
    expect(await asking(bed, {}, 300)).toBe("TimedOut");
    expect(performance.now() - began).toBeLessThan(500);
    expect(await closed.promise).toBeLessThan(500);
  });

  test("by silence, before or after the headers, is cut off at the deadline", async () => {
    expect(await asking(await speaking(""), {}, 200)).toBe("TimedOut");
    expect(await asking(await speaking(OK), {}, 200)).toBe("TimedOut");
    expect(await asking(await speaking(`${OK}content-length: 2\r\n\r\na`), {}, 200)).toBe("TimedOut");
  });

  test("that drops the connection after the deadline is nobody's concern any more", async () => {
    const held: Socket[] = [];
    const bed = await speaking(`${OK}content-length: 2\r\n\r\na`, (socket) => {
      held.push(socket.on("error", () => undefined));
    });
    expect(await asking(bed, {}, 150)).toBe("TimedOut");
    for (const socket of held) socket.resetAndDestroy();
    await sleep(50);
    expect(await asking(bed, {}, 150)).toBe("TimedOut");
  });

  test.each([
    ["closes at once", "", "Broken"],
    ["closes within the body", `${OK}content-length: 10\r\n\r\nabc`, "Broken"],
    ["is no web server", "SSH-2.0-x\r\n", "Broken"],
    ["says two lengths", `${OK}content-length: 1\r\ncontent-length: 2\r\n\r\na`, "Broken"],
    [
      "switches to something else",
      "HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
      "Broken",
    ],
  ])("and %s leaves an error, and is asked once", async (_, text, expected) => {
    const bed = await speaking(text, (socket) => socket.end());
    expect(await asking(bed)).toBe(expected);
    expect(bed.accepted()).toBe(1);
  });

  test("sends a compressed bomb in vain: nothing is decompressed", async () => {
    const bed = await speaking(`${OK}content-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc`);
    expect(await asking(bed)).toBe("200 abc");
  });
});

describe("a budget", () => {
  const served = () => httpBed((_, response) => response.end("a".repeat(1_000)));

  test("of requests is a policy's own, and comes back a minute later", async () => {
    const bed = await served();
    let nowMs = 0;
    const egress = egressAt({ elapsedMs: () => nowMs });
    const ask = (name: string) => {
      const allowed = grant([rule(bed.port)], {
        policy: policy({ key: policyKey("team-a", name) }),
        requestsPerMinute: 2,
      });
      return outcome(egress.perform(get(url(bed.port)), allowed, NEVER));
    };
    const words = [await ask("clicks"), await ask("clicks"), await ask("clicks"), await ask("views")];
    expect(words.map((word) => word.slice(0, 12))).toEqual([
      "200 aaaaaaaa",
      "200 aaaaaaaa",
      "EffectDenied",
      "200 aaaaaaaa",
    ]);
    nowMs = 59_000;
    expect(await ask("clicks")).toBe("EffectDenied");
    nowMs = 60_000;
    expect(await ask("clicks")).toMatch(/^200/);
    expect(bed.accepted()).toBe(4);
  });

  test("that is spent says when to come back", async () => {
    let nowMs = 10_000;
    const egress = egressAt({ elapsedMs: () => nowMs, resolve: () => Promise.resolve([]) });
    const allowed = grant([rule(1)], { requestsPerMinute: 1 });
    await egress.perform(get(url(1)), allowed, NEVER);
    nowMs = 30_000;
    const fault = await egress.perform(get(url(1)), allowed, NEVER).catch((thrown: unknown) => thrown);
    expect(fault).toBeInstanceOf(Fault);
    expect(fault).toMatchObject({ code: "EffectDenied", retry: true, retryAfterSeconds: 40 });
  });

  test("of bytes ends the answer that goes beyond it, and counts redirects as requests", async () => {
    const bed = await httpBed((_, response) => response.end("a".repeat(200_000)));
    expect(await asking(bed, { bytesPerMinute: 50_000 })).toBe("BudgetSpent");
    expect(await asking(bed, { bytesPerMinute: 500_000 })).toMatch(/^200 a/);
    const circle = await httpBed((_, response) => response.writeHead(302, { location: "/" }).end());
    expect(await asking(circle, { requestsPerMinute: 2, redirects: 3 })).toBe("EffectDenied");
    expect(circle.accepted()).toBe(2);
  });

  test("holds for requests at the same time", async () => {
    const bed = await served();
    const egress = egressAt();
    const allowed = grant([rule(bed.port)], { requestsPerMinute: 8 });
    const words = await Promise.all(
      Array.from({ length: 100 }, () => outcome(egress.perform(get(url(bed.port)), allowed, NEVER))),
    );
    expect(words.filter((word) => word === "EffectDenied")).toHaveLength(92);
    expect(bed.accepted()).toBe(8);
  });
});
