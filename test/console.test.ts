import { createHash } from "node:crypto";
import { request } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import {
  renderTerminal,
  showInTerminal,
  startConsole,
  viewOf,
  type ConsoleOptions,
  type NodeView,
  type PolicyView,
} from "../host/console/index.ts";
import { iteration, policy, verdict } from "./builders.ts";

const nodeView = (name: string, rest: Partial<NodeView> = {}): NodeView => ({
  name,
  parallelism: 2,
  ready: 2,
  granted: 2,
  why: [],
  ...rest,
});
const policyView = (rest: Partial<PolicyView> = {}): PolicyView => ({
  key: "team-a/clicks",
  mode: "Enforce",
  at: "2026-03-01T12:00:00.000Z",
  number: 7,
  outcome: "Unchanged",
  algorithm: "oci://localhost/algorithm:1",
  nodes: [nodeView("split")],
  ...rest,
});
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});
async function serving(rest: Partial<ConsoleOptions> = {}): Promise<URL> {
  const { url, close } = await startConsole({
    host: "127.0.0.1",
    port: 0,
    view: () => ({ policies: [policyView()] }),
    metrics: () => Promise.resolve("sluice_passes_total 1\n"),
    ready: () => ({ ok: true, checks: { store: true } }),
    ...rest,
  });
  closing.push(close);
  return url;
}

describe("the console", () => {
  test("serves a page that may run its own script and style, by hash, and nothing else", async () => {
    const answer = await fetch(await serving());
    const html = await answer.text();
    const csp = answer.headers.get("content-security-policy") ?? "";
    const hash = (tag: string) => {
      const text = new RegExp(`<${tag}>([^]*)</${tag}>`).exec(html)?.[1] ?? "";
      return `${tag}-src 'sha256-${createHash("sha256").update(text).digest("base64")}'`;
    };
    expect(csp).toContain("default-src 'none'");
    expect(csp).toContain(hash("script"));
    expect(csp).toContain(hash("style"));
    expect(html).not.toMatch(/(src|href)="(?!data:,|\/)/);
    expect(html).not.toContain("innerHTML");
  });

  test("serves the view as JSON, at most 500 policies of it, and says how many are left out", async () => {
    const policies = Array.from({ length: 502 }, (_, at) => policyView({ key: `team/${at}` }));
    const url = await serving({ view: () => ({ policies }) });
    const answer = (await (await fetch(new URL("/api/v1/policies", url))).json()) as {
      policies: unknown[];
      omitted: number;
    };
    expect([answer.policies.length, answer.omitted]).toEqual([500, 2]);
    expect(answer.policies[0]).toEqual(policyView({ key: "team/0" }));
  });

  test("serves metrics and probes; what is not ready answers 503 and names the failing check", async () => {
    const url = await serving({ ready: () => ({ ok: false, checks: { store: true, engine: false } }) });
    expect(await (await fetch(new URL("/metrics", url))).text()).toBe("sluice_passes_total 1\n");
    expect((await fetch(new URL("/healthz", url))).status).toBe(200);
    const ready = await fetch(new URL("/readyz", url));
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({
      ok: false,
      failing: ["engine"],
      checks: { store: true, engine: false },
    });
  });

  test("answers 404 to other paths, 405 to other methods, and 500 without a word where it failed itself", async () => {
    const url = await serving({ metrics: () => Promise.reject(new Error("secret")) });
    expect((await fetch(new URL("/constructor", url))).status).toBe(404);
    const post = await fetch(url, { method: "POST", body: "x" });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    const failed = await fetch(new URL("/metrics", url));
    expect([failed.status, await failed.text()]).toEqual([500, "The host could not answer.\n"]);
  });

  test("on loopback answers nobody who asks under another name, as a page elsewhere would that points its name here", async () => {
    const url = await serving();
    expect(await statusFor(url, "evil.example:8080")).toBe(421);
    expect(await statusFor(url, "localhost:8080")).toBe(200);
    expect(await statusFor(url, "[::1]:8080")).toBe(200);
  });

  test("says in one sentence that its port is taken, and what to do", async () => {
    const { port } = await serving();
    await expect(serving({ port: Number(port) })).rejects.toMatchObject({
      code: "PortTaken",
      sentence: `port ${port} is taken: something else listens on 127.0.0.1:${port}. Start with \`--port N\` for another port.`,
    });
  });
});

describe("the view of a pass", () => {
  test("has what is measured, what was wanted and granted, and every reason, then the algorithm's own words", () => {
    const at = "2026-03-01T12:00:00.000Z";
    const sample = (value: number) => ({ labels: {}, node: "split", value, at });
    const seen = iteration({
      sources: { lag: { series: [sample(30)], at }, rates: { series: [sample(1.5), sample(2)], at } },
      decision: { verdicts: [verdict("split", { says: "40 for 4000/s" })], changes: [] },
    });
    expect(viewOf(policy(), seen).nodes).toEqual([
      {
        name: "split",
        rate: 3.5,
        lag: 30,
        parallelism: 2,
        ready: 1,
        wanted: 40,
        granted: 16,
        why: ["OutOfBounds", "40 for 4000/s"],
      },
    ]);
  });

  test("has no number where there is none: a failed pass keeps what runs, and shows its fault", () => {
    const fault = { code: "GuestTrapped", message: "it trapped" } as const;
    const seen = viewOf(policy(), iteration({ decision: undefined, outcome: "Failed", fault }));
    expect(seen.nodes).toEqual([{ name: "split", parallelism: 2, ready: 1, granted: 2, why: [] }]);
    expect(seen.fault).toEqual(fault);
  });
});

describe("the terminal", () => {
  const nodes = [
    nodeView("source", { rate: 265.4, lag: 0, wanted: 3 }),
    nodeView("count", {
      rate: 1060,
      lag: 419.2,
      parallelism: 8,
      ready: 4,
      wanted: 40,
      granted: 16,
      why: ["OutOfBounds"],
    }),
  ];

  test("shows each node in a line, as wide as there is room for", () => {
    const text = renderTerminal(
      { policies: [policyView({ outcome: "Scaled", nodes })] },
      { columns: 100, color: false },
    );
    expect(text.split("\n")).toEqual([
      "team-a/clicks  Enforce · pass 7 · 12:00:00 · Scaled",
      "  NODE    RATE/S  WAITING  NOW  READY  WANTED  GRANTED                    WHY",
      "  source     265        0    2      2       3        2  ██",
      "  count    1,060      419    8      4      40       16  ████░░░░░░░░░░░░  OutOfBounds",
      "",
    ]);
  });

  test("has no line wider than the terminal, and no escape where colour is not wanted", () => {
    for (const columns of [1, 20, 40, 60, 80]) {
      const text = renderTerminal({ policies: [policyView({ nodes })] }, { columns, color: false });
      expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(columns);
      expect(text).not.toContain("\u001b");
    }
    expect(renderTerminal({ policies: [policyView()] }, { columns: 80, color: true })).toContain("\u001b[1m");
  });

  test("acts on nothing that an algorithm says", () => {
    const evil = "\u001b[2J\u0007\u202egnorw\nsecond line";
    const fault = { code: "GuestFailed", message: evil } as const;
    const policies = [policyView({ fault, nodes: [nodeView("split", { why: [evil] })] })];
    const text = renderTerminal({ policies }, { columns: 200, color: false });
    expect(text).toContain("GuestFailed:  [2J gnorw second line");
    for (const character of "\u001b\u0007\u202e") expect(text).not.toContain(character);
    expect(text.split("\n")).toHaveLength(5);
  });

  test("is painted over in place, and never by more lines than the screen has", () => {
    const written: string[] = [];
    const show = showInTerminal(
      { isTTY: true, columns: 80, rows: 4, write: (text) => written.push(text) },
      { color: false },
    );
    show({ policies: [policyView({ nodes: [...nodes, ...nodes] })] });
    show({ policies: [policyView()] });
    expect(written[0]?.split("\n")).toHaveLength(4);
    expect(written[1]?.startsWith("\r\u001b[3A\u001b[J")).toBe(true);
  });

  test("that is none gets one line for each change, and none where nothing changed", () => {
    const written: string[] = [];
    const show = showInTerminal({ isTTY: false, write: (text) => written.push(text) }, { color: false });
    show({ policies: [policyView()] });
    show({ policies: [policyView({ number: 8 })] });
    show({ policies: [policyView({ number: 9, outcome: "Scaled", nodes })] });
    show({
      policies: [
        policyView({ number: 10, outcome: "Failed", fault: { code: "EngineBusy", message: "no sandbox" } }),
      ],
    });
    show({
      policies: [
        policyView({ number: 11, outcome: "Failed", fault: { code: "EngineBusy", message: "no sandbox" } }),
      ],
    });
    show({ policies: [policyView({ number: 12 })] });
    const at = "2026-03-01T12:00:00.000Z team-a/clicks";
    expect(written).toEqual([
      `${at} pass 7 Unchanged: split 2\n`,
      `${at} pass 9 Scaled: count 8 → 16 (wanted 40: OutOfBounds)\n`,
      `${at} pass 10 Failed: EngineBusy: no sandbox\n`,
      `${at} pass 12 Unchanged: works again\n`,
    ]);
  });
});

/** fetch would not let a test lie about the host that it asks. */
const statusFor = (url: URL, host: string) =>
  new Promise<number>((resolve, reject) => {
    request(url, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });
