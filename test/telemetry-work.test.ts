import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { NO_TRACES, telemetry, traces, watched } from "../host/telemetry/index.ts";
import type { World } from "../host/loop/index.ts";
import { iteration, node, policy, topology } from "./builders.ts";

const FIGURES = {
  queue: { ready: 3, delayed: 7, inWork: 2, oldestSeconds: 0.5 },
  informers: [{ kind: "ScalingPolicy", objects: 12, silentSeconds: 4, lists: 1, failures: 2, missed: 1 }],
  shards: { held: 3, all: 8 },
};

describe("metrics of the operator's work", () => {
  test("show queue and informers as they are when they are asked for", async () => {
    const metrics = telemetry();
    metrics.follow(() => FIGURES);
    const lines = (await metrics.text()).split("\n");
    for (const line of [
      "sluice_queue_ready 3",
      "sluice_shards 8",
      "sluice_shards_held 3",
      "sluice_queue_delayed 7",
      "sluice_queue_in_work 2",
      "sluice_queue_oldest_seconds 0.5",
      'sluice_informer_objects{kind="ScalingPolicy"} 12',
      'sluice_informer_silent_seconds{kind="ScalingPolicy"} 4',
      'sluice_informer_missed{kind="ScalingPolicy"} 1',
    ])
      expect(lines).toContain(line);
  });

  test("count lateness, fuel by step, waits by what was waited for, and rescales by direction", async () => {
    const metrics = telemetry();
    metrics.late(0.03);
    metrics.waited("sources", 0.2);
    const changes = [
      { node: "a", from: 2, to: 5, revision: "" },
      { node: "b", from: 4, to: 1, revision: "" },
      { node: "c", from: 4, to: 1, revision: "" },
    ];
    const outcomes = [
      { node: "a", outcome: "Scaled" },
      { node: "b", outcome: "Scaled" },
      { node: "c", outcome: "Failed", code: "Conflict", message: "" },
    ] as const;
    const decision = { verdicts: [], changes };
    metrics.observe(iteration({ decision, changes: outcomes, fuel: { plan: 40_000 } }), policy(), 0);
    const lines = (await metrics.text()).split("\n");
    for (const line of [
      'sluice_pass_lateness_seconds_bucket{le="0.025"} 0',
      'sluice_pass_lateness_seconds_bucket{le="0.1"} 1',
      'sluice_wait_seconds_count{for="sources"} 1',
      'sluice_step_fuel_bucket{le="10000",step="plan"} 0',
      'sluice_step_fuel_bucket{le="100000",step="plan"} 1',
      'sluice_rescales_total{direction="up"} 1',
      'sluice_rescales_total{direction="down"} 1',
      "sluice_decision_seconds_count 1",
    ])
      expect(lines).toContain(line);
  });
});

const world = {
  clock: { now: () => new Date(0) },
  driver: { discover: async () => topology(node("split", 2)) },
  sources: { observe: async () => ({}) },
  engine: { run: () => Promise.reject(new Error("it failed")) },
  store: { recall: async () => ({ number: 0, carry: undefined, history: [], open: undefined }) },
} as unknown as World;

/** One pass of a policy over the ports that are watched. */
async function pass(over: World): Promise<void> {
  await over.store.recall(policy());
  await over.driver.discover(policy());
  await over.engine.run(policy(), {} as never).catch(() => undefined);
}

describe("traces", () => {
  test("are not there without an endpoint: what is waited for is counted all the same", async () => {
    expect(await traces(undefined)).toBe(NO_TRACES);
    const waits: string[] = [];
    await pass(watched(world, (what) => void waits.push(what), NO_TRACES));
    expect(waits).toEqual(["store", "discover", "engine"]);
  });

  test("are sent by OTLP: a span for the pass, and one for each part of it as its child", async () => {
    const bodies: string[] = [];
    const collector = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        bodies.push(body);
        response.setHeader("content-type", "application/json").end("{}");
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
    const { port } = collector.address() as AddressInfo;
    const trace = await traces(`http://127.0.0.1:${port}/v1/traces`);
    await pass(watched(world, () => undefined, trace));
    trace.end(policy().key, { "sluice.outcome": "Failed" }, "SandboxLost");
    await trace.close();
    collector.close();
    const spans = bodies
      .flatMap((body) => (JSON.parse(body) as Sent).resourceSpans)
      .flatMap((one) => one.scopeSpans)
      .flatMap((one) => one.spans);
    const root = spans.find(({ name }) => name === "pass");
    const parts = spans.filter(({ parentSpanId }) => parentSpanId === root?.spanId);
    expect(parts.map(({ name }) => name)).toEqual(["store", "discover", "engine"]);
    expect(parts.map(({ status }) => status?.code ?? 0)).toEqual([0, 0, 2]);
    expect(root?.attributes).toContainEqual({
      key: "sluice.policy",
      value: { stringValue: "team-a/clicks" },
    });
    expect(root?.status).toMatchObject({ code: 2, message: "SandboxLost" });
  });
});

interface Sent {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
}
interface SentSpan {
  readonly name: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
}
