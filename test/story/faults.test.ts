import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { processes } from "../engine/bed.ts";
import type { Asked, Script } from "../kube/gateway.ts";
import { ROOT } from "./bed.ts";
import { eventually } from "./operator.ts";
import { finds, holds, once, Ordeal, reads, vector, watches, writes, type Lie } from "./ordeal.ts";

// What fails is asked again after growing pauses.
vi.setConfig({ testTimeout: 120_000 });

let ordeal: Ordeal;
beforeAll(async () => {
  ordeal = await Ordeal.begin({ nodes: ["split"] });
}, 300_000);
afterAll(() => ordeal?.[Symbol.asyncDispose]());
afterEach(() => ordeal.recovered(), 60_000);

describe("an API server that", () => {
  test("refuses every connection: nothing is scaled", () => holds(ordeal, () => "cut", 3));
  test("answers 503 to everything: nothing is scaled", () => holds(ordeal, () => ({ status: 503 }), 4));
  test("answers 429 and asks for two seconds: nothing is scaled", () =>
    holds(ordeal, () => ({ status: 429, headers: { "retry-after": "2" } }), 2));
  test("answers with half an object: nothing is scaled", () =>
    holds(
      ordeal,
      (asked) => (reads(asked) ? { change: (body) => body.slice(0, body.length / 2) } : undefined),
      5,
    ));
  test.each(["-3", '"7"', "2.5", "1e400", "null"])("says that %s replicas run: nothing is scaled", (number) =>
    holds(
      ordeal,
      (asked) =>
        reads(asked)
          ? { change: (body) => body.replace(/"replicas":\d+/g, `"replicas":${number}`) }
          : undefined,
      3,
    ),
  );
  test("knows no right of the account any more: nothing is scaled, and it is said which is missing", async () => {
    await ordeal.kubectl("delete", "rolebinding", "scaler");
    ordeal.want(6);
    const seen = await ordeal.condition("TargetResolved", "Forbidden");
    expect(seen?.message).toContain(`${ordeal.team}/scaler`);
    expect(await ordeal.asked()).not.toHaveProperty("split", "6");
    await ordeal.kubectl("apply", "--filename", join(ROOT, "install/tenant.yaml"));
    await ordeal.settled();
  });
  test("answers every third call with 500: what is wanted is found all the same", () => {
    let calls = 0;
    return finds(ordeal, (asked) => (asked.isWatch || (calls += 1) % 3 > 0 ? undefined : { status: 500 }), 2);
  });
  test("takes a second for every answer", () =>
    finds(ordeal, ({ isWatch }) => (isWatch ? undefined : { delayMs: 1_000 }), 4));
  test("loses the answer to a write that it carried out: it is not written again with another number", () =>
    finds(ordeal, once(writes, "cut afterwards"), 7));
  test("loses a write on its way", () => finds(ordeal, once(writes, "cut", 2), 3));
  test("answers three writes with a conflict, as in a rollout", () =>
    finds(ordeal, once(writes, { status: 409 }, 3), 5));
  test("answers a write with 500, twice: the decision is resumed", () =>
    finds(ordeal, once(writes, { status: 500 }, 2), 2));
  test("loses the answers to statuses", () =>
    finds(ordeal, ({ method }) => (method === "PATCH" ? "cut afterwards" : undefined), 6));
});

/** The policy is changed while its watch is in trouble: the change is heard of all the same. */
async function hears(
  script: (asked: Asked) => Script,
  more: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  ordeal.way.play(script);
  const max = 2 + (ordeal.sent().length % 5);
  ordeal.want(20);
  await ordeal.policy({ guardrails: { bounds: { min: 1, max } } });
  await more();
  await eventually(
    () => ordeal.asked(),
    (seen) => seen["split"] === String(max),
    60_000,
  );
  ordeal.want(3);
  await ordeal.policy();
  await ordeal.settled();
}

const kindOf = ({ url }: Asked) => url.split("?")[0] ?? "";

describe("a watch that", () => {
  test("is cut again and again", () => {
    const tries = new Map<string, number>();
    // Chance would now and then cut so many in a row that the wait between two tries is all there is time for.
    return hears((asked) => {
      if (!watches(asked)) return undefined;
      const count = (tries.get(kindOf(asked)) ?? 0) + 1;
      tries.set(kindOf(asked), count);
      return count % 3 === 0 ? undefined : "cut";
    });
  });
  test("is too old for the server: everything is listed again", () =>
    hears(once(watches, { status: 410 }, 3)));
  test("tells every event twice", () =>
    hears((asked) => (watches(asked) ? { lines: (line) => [line, line] } : undefined)));
  test("tells events in the wrong order", () => {
    const held = new Map<string, string>();
    const swapped = (kind: string) => (line: string) => {
      const before = held.get(kind);
      held.delete(kind);
      if (before !== undefined) return [line, before];
      held.set(kind, line);
      return [];
    };
    const script = (asked: Asked) => (watches(asked) ? { lines: swapped(kindOf(asked)) } : undefined);
    // What is held back comes with what is told next of the same kind.
    const more = () =>
      ordeal.kubectl("annotate", "scalingpolicy", "clicks", `told=${Date.now()}`, "--overwrite");
    return hears(script, more);
  });
  test("tells what is no JSON", () => hears(once(watches, { lines: () => ["{"] }, 3)));
});

describe("a metrics service that", () => {
  const holdsOn = async (told: Lie, reason: string) => {
    const before = await ordeal.asked();
    ordeal.lie = told;
    await ordeal.condition("SourcesHealthy", reason);
    await pause(1_500);
    expect(await ordeal.asked()).toEqual(before);
  };
  const text = (body: string) => (response: ServerResponse) => void response.end(body);
  test("is down", () => holdsOn((response) => response.destroy(), "SourceUnavailable"));
  test("answers 500", () => holdsOn((response) => void response.writeHead(500).end(), "SourceUnavailable"));
  test("has no data", () =>
    holdsOn(text('{"status":"success","data":{"resultType":"vector","result":[]}}'), "NoData"));
  test("says NaN", () => holdsOn(text(vector({ split: "NaN" })), "SourceInvalid"));
  test("says infinity", () => holdsOn(text(vector({ split: "+Inf" })), "SourceInvalid"));
  test("answers with half an answer", () =>
    holdsOn(text(vector({ split: "100" }).slice(0, 40)), "SourceInvalid"));
  test("answers without end", () =>
    holdsOn((response) => {
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.on("drain", more);
      more();
    }, "SourceInvalid"));
});

describe("a process that", () => {
  const children = (program: "supervisor" | "sandbox") =>
    processes(ordeal.running.pid).filter((one) => one.program === program);
  test.each(["supervisor", "sandbox"] as const)(
    "is killed, a %s: another takes its place",
    async (program) => {
      for (const { pid } of children(program)) process.kill(pid, "SIGKILL");
      ordeal.want(ordeal.wanted["split"] === 4 ? 5 : 4);
      await ordeal.settled();
    },
  );
  test("is stopped, a sandbox: its pass ends by its deadline, and another takes its place", async () => {
    for (const { pid } of children("sandbox")) process.kill(pid, "SIGSTOP");
    ordeal.want(7);
    await ordeal.settled();
  });
});

describe("a registry that", () => {
  test("is down lets what runs run, and is asked again for what does not", async () => {
    await ordeal.set.registry.down();
    ordeal.want(2);
    await ordeal.settled();
    await ordeal.policy({ artifact: ordeal.artifact.replace("1.0.0", "9.9.9") });
    await ordeal.condition("AlgorithmLoaded", "ArtifactUnavailable");
    await ordeal.set.registry.up();
    await ordeal.policy();
    await ordeal.settled();
  });
});
