import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Observation } from "../host/knowledge/index.ts";
import type { PrometheusSource } from "../host/policy/index.ts";
import { sources, type TenantSources } from "../host/source/index.ts";
import { policy } from "./builders.ts";
import { exposition, prometheus, type Exposition, type Prometheus } from "./world/index.ts";

const source = (query: string): PrometheusSource => ({
  name: "rates",
  kind: "prometheus",
  service: { name: "prometheus", port: 9090 },
  query,
  byLabel: "operator",
  node: undefined,
  timeoutMs: 3_000,
});

describe("a real Prometheus", () => {
  let numbers: Exposition;
  let server: Prometheus;
  let port: TenantSources;
  const asking = async (query: string): Promise<Observation> => {
    const seen = await port.observe(policy({ sources: [source(query)] }), new Date());
    return seen["rates"] ?? expect.fail("the source is not among the observations");
  };

  beforeAll(async () => {
    numbers = await exposition();
    numbers.set("arrivals", 12.5, { operator: "split" });
    numbers.set("arrivals", 50, { operator: "count" });
    numbers.set("broken", Number.NaN, { operator: "count" });
    numbers.set("broken", 1, { operator: "split" });
    server = await prometheus({ targets: [numbers.target] });
    port = sources({ endpoint: () => Promise.resolve(new URL(server.url)) });
    await vi.waitFor(async () => {
      if (!("series" in (await asking("arrivals")))) throw new Error("nothing was scraped yet");
    }, 15_000);
  });
  afterAll(async () => {
    await port.close();
    await server.stop();
    await numbers.stop();
  });

  test("tells the numbers of each node, at the time of its own clock", async () => {
    const seen = await asking("sum by (operator) (arrivals)");
    const series = "series" in seen ? seen.series : [];
    expect(Object.fromEntries(series.map((one) => [one.node, one.value]))).toEqual({
      split: 12.5,
      count: 50,
    });
    expect(Math.abs(Date.parse(series[0]?.at ?? "") - Date.now())).toBeLessThan(5_000);
  });

  test("has no data for a metric that does not exist, and NaN and infinity are errors that name the series", async () => {
    expect(await asking("absent_metric")).toHaveProperty("noData", true);
    expect(await asking("broken")).toMatchObject({
      error: { code: "SourceInvalid", message: expect.stringContaining('operator="count"') },
    });
    expect(await asking("vector(1) / 0")).toMatchObject({
      error: { code: "SourceInvalid", message: "rates: the value of {} is +Inf, which is no finite number" },
    });
  });

  test("says in its own words what is wrong with a query", async () => {
    expect(await asking("sum(")).toMatchObject({
      error: { code: "SourceInvalid", message: expect.stringContaining("refuses the query") },
    });
    expect(await asking('"words"')).toMatchObject({
      error: { code: "SourceInvalid" },
    });
  });

  test("has no data once what it measures is gone; a range still tells the last number, and how old it is", async () => {
    await numbers.stop();
    await vi.waitFor(async () => {
      expect(await asking("arrivals")).toHaveProperty("noData");
    }, 15_000);
    const seen = await asking('arrivals{operator="split"}[1m]');
    const [sample] = "series" in seen ? seen.series : [];
    expect(sample?.value).toBe(12.5);
    expect(Date.now() - Date.parse(sample?.at ?? "")).toBeGreaterThan(500);
  });
});
