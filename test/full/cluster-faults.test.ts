import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { Asked, Script } from "../kube/gateway.ts";
import { conditions, ROOT } from "../story/bed.ts";
import { eventually } from "../story/operator.ts";
import { finds, holds, once, Ordeal, reads, watches, writes } from "../story/ordeal.ts";

vi.setConfig({ testTimeout: 1_500_000 });

/** How long an API server is away in the long cells; ten minutes are what an upgrade of a control plane takes. */
const LONG_MS = Number(process.env["SLUICE_OUTAGE_SECONDS"] ?? 600) * 1_000;

let ordeal: Ordeal;
beforeAll(async () => {
  ordeal = await Ordeal.begin({ nodes: ["split", "count"] });
}, 300_000);
afterAll(() => ordeal?.[Symbol.asyncDispose]());
afterEach(() => ordeal.recovered(), 120_000);

type Component = Parameters<Ordeal["set"]["cluster"]["kill"]>[0];

function signal(component: Component, name: NodeJS.Signals): void {
  const pid = ordeal.set.cluster.pids[component];
  if (pid === undefined) throw new Error(`there is no ${component}`);
  process.kill(pid, name);
}

/** A component stands still for so long; what was to change meanwhile is there afterwards, and no other number was written. */
async function stopped(component: Component, ms: number, wanted: number): Promise<void> {
  const from = ordeal.way.asked.length;
  signal(component, "SIGSTOP");
  try {
    ordeal.want(wanted);
    await pause(ms);
  } finally {
    signal(component, "SIGCONT");
  }
  await ordeal.settled(120);
  expect(new Set(ordeal.sent(from).map(({ replicas }) => replicas))).toEqual(new Set([wanted]));
}

async function killed(component: Component, ms: number, wanted: number): Promise<void> {
  const from = ordeal.way.asked.length;
  await ordeal.set.cluster.kill(component);
  ordeal.want(wanted);
  await pause(ms);
  await ordeal.set.cluster.revive(component);
  await ordeal.settled(180);
  expect(new Set(ordeal.sent(from).map(({ replicas }) => replicas))).toEqual(new Set([wanted]));
}

describe("the API server", () => {
  test("is stopped for 5 s", () => stopped("kube-apiserver", 5_000, 3));
  test("is stopped for 45 s: longer than any call waits", () => stopped("kube-apiserver", 45_000, 2));
  test("is killed, and away for 5 s", () => killed("kube-apiserver", 5_000, 4));
  test("is killed, and away for ten minutes", () => killed("kube-apiserver", LONG_MS, 2));
  test("has a database that is stopped for 5 s", () => stopped("etcd", 5_000, 5));
  test("has a database that is stopped for 45 s", () => stopped("etcd", 45_000, 3));
  test("has a database that is killed, and away for 5 s", () => killed("etcd", 5_000, 4));
  test("has no controllers for 10 s: what is written is written once", () =>
    killed("kube-controller-manager", 10_000, 2));
});

describe("an API server that", () => {
  const all = (counts: (asked: Asked) => boolean, script: Script) => (asked: Asked) =>
    counts(asked) ? script : undefined;
  test("answers half of all calls with a 5xx", () => {
    const half = ({ isWatch }: Asked): Script =>
      isWatch || Math.random() < 0.5 ? undefined : { status: 500 + Math.floor(Math.random() * 4) };
    return finds(ordeal, half, 3, 300);
  });
  test("answers every write with 429 for a while", () =>
    holds(ordeal, all(writes, { status: 429, headers: { "retry-after": "1" } }), 2));
  test("takes two seconds for every answer", () =>
    finds(ordeal, ({ isWatch }) => (isWatch ? undefined : { delayMs: 2_000 }), 4, 300));
  // A source has five seconds, in which its Service has to be found as well.
  test("takes six seconds for every answer: what is not known in time moves nothing", () =>
    holds(ordeal, ({ isWatch }) => (isWatch ? undefined : { delayMs: 6_000 }), 3));
  test("answers reads with HTML", () =>
    holds(ordeal, all(reads, { status: 200, body: "<html>login</html>" }), 3));
  test("sends reads elsewhere", () =>
    holds(ordeal, all(reads, { status: 302, headers: { location: "https://127.0.0.1:1/" } }), 2));
  test("answers reads with a Status that says Failure", () =>
    holds(ordeal, all(reads, { status: 200, body: '{"kind":"Status","status":"Failure"}' }), 4));
  test("answers reads with nothing", () => holds(ordeal, all(reads, { status: 200, body: "" }), 3));
  test("answers reads without a version", () =>
    holds(ordeal, all(reads, { change: (body) => body.replaceAll(/"resourceVersion":"\d+",?/g, "") }), 2));
  test("does not know who the operator is, for a while", () => holds(ordeal, () => ({ status: 401 }), 3));
  test("forbids everything, for a while", () => holds(ordeal, () => ({ status: 403 }), 2));
  test("says that a write was carried out which it was not: it is verified", async () => {
    const lies = once(writes, { status: 200, body: '{"kind":"Scale","spec":{"replicas":9}}' }, 2);
    ordeal.way.play(lies);
    ordeal.want(5);
    await ordeal.settled();
  });
  test("loses the answers to all events and reviews", () =>
    finds(
      ordeal,
      all(({ method }) => method === "POST", "cut afterwards"),
      3,
    ));
});

describe("a watch that", () => {
  const hears = async (script: (asked: Asked) => Script, seconds: number) => {
    ordeal.way.calm();
    ordeal.way.play(script);
    await pause(1_000);
    ordeal.want(9);
    await ordeal.policy({ guardrails: { bounds: { min: 1, max: 2 } } });
    await eventually(
      () => ordeal.asked(),
      (seen) => seen["split"] === "2" && seen["count"] === "2",
      seconds * 1_000,
    );
    ordeal.want(2);
    await ordeal.policy();
  };
  test("is mute, without an end: the change of a policy is heard of all the same", () =>
    hears((asked) => (watches(asked) ? { lines: () => [] } : undefined), 900));
  test("is never answered", () =>
    hears((asked) => (watches(asked) ? { delayMs: 3_600_000 } : undefined), 900));
  test("is refused with 410 again and again, and so is every second list", () => {
    let lists = 0;
    const isList = ({ url }: Asked) => url.includes("/scalingpolicies?") && !url.includes("watch=true");
    return hears((asked) => {
      if (watches(asked)) return { status: 410 };
      return isList(asked) && (lists += 1) % 2 === 0 ? { status: 410 } : undefined;
    }, 300);
  });
});

describe("rights that", () => {
  const restore = () => ordeal.kubectl("apply", "--filename", `${ROOT}/install/tenant.yaml`);
  test("are taken away in the middle of a pass, between read and write", async () => {
    let isTaken = false;
    ordeal.way.play((asked) => {
      if (!reads(asked) || isTaken) return undefined;
      isTaken = true;
      void ordeal.kubectl("delete", "rolebinding", "scaler");
      return { delayMs: 500 };
    });
    ordeal.want(4);
    await ordeal.condition("Ready", "Forbidden");
    await restore();
    await ordeal.settled();
  });
  test("let nobody act as the account any more", async () => {
    await ordeal.kubectl("delete", "rolebinding", "sluice-acts-as-scaler");
    ordeal.want(3);
    await ordeal.condition("Ready", "Forbidden");
    const from = ordeal.way.asked.length;
    await pause(2_500);
    expect(ordeal.sent(from)).toEqual([]);
    await restore();
    await ordeal.settled();
  });
});

describe("an object that", () => {
  const kubectl = (words: readonly string[], input = "") => ordeal.set.cluster.kubectl(words, { input });
  const inTeam = () => ["--namespace", ordeal.team];
  test("is deleted and made again, a target, is scaled as the new one", async () => {
    const text = await kubectl(["get", "deployment", "split", ...inTeam(), "--output", "json"]);
    const { apiVersion, kind, spec } = JSON.parse(text) as Record<string, object>;
    await kubectl(["delete", "deployment", "split", ...inTeam()]);
    await ordeal.condition("Ready", "TargetNotFound");
    ordeal.want(2);
    const made = { apiVersion, kind, metadata: { name: "split" }, spec: { ...spec, replicas: 1 } };
    await kubectl(["apply", ...inTeam(), "--filename", "-"], JSON.stringify(made));
    await ordeal.settled();
  });
  test("is scaled by hand in the middle of a pass, a target: that is not overwritten unread", async () => {
    let isDone = false;
    ordeal.way.play((asked) => {
      if (!writes(asked) || isDone) return undefined;
      isDone = true;
      void kubectl(["scale", "deployment", "split", "--replicas", "7", ...inTeam()]);
      return { delayMs: 1_000 };
    });
    ordeal.want(4);
    await ordeal.settled();
  });
  test("is deleted in the middle of a pass, the policy: nothing is written any more", async () => {
    ordeal.lie = (response) => void setTimeout(() => response.destroy(), 1_500);
    await pause(1_000);
    await kubectl(["delete", "scalingpolicy", "clicks", ...inTeam()]);
    ordeal.want(6);
    ordeal.lie = undefined;
    const from = ordeal.way.asked.length;
    await pause(4_000);
    expect(ordeal.sent(from)).toEqual([]);
    await ordeal.policy();
    await ordeal.settled();
  });
  test("is deleted and restored, the kind ScalingPolicy: the operator goes on without being started again", async () => {
    const kind = "customresourcedefinition/scalingpolicies.sluice.dev";
    await kubectl(["delete", kind]);
    // A pass that had begun may write what it had decided.
    await pause(2_000);
    ordeal.want(3);
    const from = ordeal.way.asked.length;
    await pause(5_000);
    expect(ordeal.sent(from)).toEqual([]);
    await kubectl(["apply", "--server-side", "--filename", `${ROOT}/crds`]);
    await kubectl(["wait", "--for=condition=Established", kind, "--timeout=30s"]);
    await eventually(
      () =>
        ordeal.policy().then(
          () => true,
          () => false,
        ),
      (isTaken) => isTaken,
      60_000,
    );
    await ordeal.settled(180);
  });
  test("goes, the namespace: nothing is made in it, and the operator goes on for others", async () => {
    const gone = await ordeal.set.tenant(["split"]);
    await kubectl(["delete", "namespace", gone, "--wait=false"]);
    await pause(2_000);
    ordeal.want(2);
    await ordeal.settled();
    expect(Object.keys(await conditions(ordeal.set, ordeal.team, "clicks"))).toContain("Ready");
  });
});

describe("an operator without a gateway", () => {
  let direct: Ordeal;
  beforeAll(async () => {
    direct = await Ordeal.begin({ nodes: ["split"], isDirect: true });
  }, 300_000);
  afterAll(() => direct?.[Symbol.asyncDispose]());
  test.each([
    ["stopped for 40 s", "SIGSTOP"],
    ["killed for 3 s", "SIGKILL"],
  ] as const)("finds the API server again that was %s, over HTTP/2", async (_words, how) => {
    const { cluster } = direct.set;
    const pid = cluster.pids["kube-apiserver"] ?? 0;
    if (how === "SIGKILL") await cluster.kill("kube-apiserver");
    else process.kill(pid, "SIGSTOP");
    direct.want(how === "SIGKILL" ? 3 : 2);
    await pause(how === "SIGKILL" ? 3_000 : 40_000);
    if (how === "SIGKILL") await cluster.revive("kube-apiserver");
    else process.kill(pid, "SIGCONT");
    await direct.settled(180);
    await direct.policy({ guardrails: { bounds: { min: 1, max: 1 } } });
    await eventually(
      () => direct.asked(),
      (seen) => seen["split"] === "1",
      180_000,
    );
    await direct.policy();
    await direct.settled(60);
  });
});
