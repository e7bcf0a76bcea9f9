import { describe, expect, test } from "vitest";
import { logger, telemetry } from "../host/telemetry/index.ts";
import { iteration, policy, verdict } from "./builders.ts";

const named = (at: number) => policy({ key: `team/${at}` as never, name: `p${at}` });

describe("metrics", () => {
  test("count passes by outcome and faults by code from 0, and show what a node has, wants and gets", async () => {
    const metrics = telemetry();
    expect(await metrics.text()).toContain('sluice_passes_total{outcome="Scaled"} 0');
    metrics.observe(iteration({ cpuMs: 250 }), policy(), 0.003);
    metrics.fault("PolicyInvalid");
    const text = await metrics.text();
    for (const line of [
      'sluice_passes_total{outcome="Scaled"} 1',
      'sluice_faults_total{code="PolicyInvalid"} 1',
      'sluice_pass_seconds_bucket{le="0.005"} 1',
      "sluice_sandbox_cpu_seconds_total 0.25",
      'sluice_node_parallelism{namespace="team-a",policy="clicks",node="split",kind="wanted"} 40',
      'sluice_node_parallelism{namespace="team-a",policy="clicks",node="split",kind="granted"} 16',
    ]) {
      expect(text.split("\n")).toContain(line);
    }
    expect(text).toContain("process_resident_memory_bytes");
  });

  test("of a deleted policy, a removed node or a number that is not wanted any longer are gone", async () => {
    const metrics = telemetry();
    metrics.observe(iteration(), policy(), 0);
    metrics.observe(
      iteration({ decision: { verdicts: [verdict("count", { wanted: undefined })], changes: [] } }),
      policy(),
      0,
    );
    expect(await series(metrics)).toEqual(["count current", "count granted"]);
    metrics.remove(policy().key);
    expect(await series(metrics)).toEqual([]);
  });

  test("are at most 10,000 series of parallelism; what is above is counted, and room that is made is used", async () => {
    const metrics = telemetry();
    const verdicts = Array.from({ length: 100 }, (_, at) => verdict(`n${at}`));
    for (let at = 0; at < 34; at += 1)
      metrics.observe(iteration({ decision: { verdicts, changes: [] } }), named(at), 0);
    expect(await series(metrics)).toHaveLength(10_000);
    expect(await metrics.text()).toContain("sluice_series_overflow_total 200");
    metrics.remove(named(0).key);
    metrics.observe(iteration({ decision: { verdicts, changes: [] } }), named(33), 0);
    expect(await series(metrics)).toHaveLength(9_900);
  });
});

test("a log line is JSON, without control characters, cut to size, and without what has the shape or the name of a secret", () => {
  const lines: string[] = [];
  const log = logger("info", { write: (line) => void lines.push(line) });
  const fields = {
    policy: "a/b",
    password: "x",
    note: "Bearer abcdef123456",
    long: "y".repeat(5_000),
    token: { deep: 1 },
  };
  log.info(fields, "pulled from https://me:secret@host/ \u001b[2J");
  log.error(new Error("eyJhbGciOi.eyJzdWIiOi.c2ln was refused"));
  log.debug("not at this level");
  const [first, second] = lines.map(
    (line) => JSON.parse(line) as Record<string, string> & { err: { message: string } },
  );
  expect(first).toMatchObject({
    level: "info",
    policy: "a/b",
    password: "[hidden]",
    note: "[hidden]",
    token: "[hidden]",
  });
  expect(first?.["msg"]).toBe("pulled from https://[hidden]@host/  [2J");
  expect(first?.["long"]).toHaveLength(1_025);
  expect([second?.err.message, second?.["msg"]]).toEqual(["[hidden] was refused", "[hidden] was refused"]);
  expect(lines).toHaveLength(2);
});

async function series(metrics: { text(): Promise<string> }): Promise<string[]> {
  const lines = (await metrics.text())
    .split("\n")
    .filter((line) => line.startsWith("sluice_node_parallelism{"));
  return lines.map((line) => line.replace(/.*node="([^"]*)",kind="([^"]*)".*/, "$1 $2"));
}
