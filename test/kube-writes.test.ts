import { afterAll, beforeAll, expect, test } from "vitest";
import { applyStatus, cutToBytes, differs, eventRecorder, type EventNews } from "../host/kube/index.ts";
import { bed, defineWidgets, expectStatus, faultOf, WIDGETS, type Bed } from "./kube/bed.ts";
import { HandTime } from "./kube/hand-time.ts";
import { sharedCluster } from "./world/index.ts";

let ground: Bed;
beforeAll(async () => {
  ground = await bed((await sharedCluster()).kubeconfig);
});
afterAll(() => ground[Symbol.asyncDispose]());

// Status

test.each([
  [{ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 }, false],
  [{ a: 1 }, { a: 1, b: undefined }, false],
  [undefined, {}, true],
  [{ a: [1, 2] }, { a: [2, 1] }, true],
  [{ a: { 0: 1 } }, { a: [1] }, true],
  [{ a: null }, { a: undefined }, true],
  [{ a: 1 }, { a: "1" }, true],
])("%j and %j differ: %j", (one, other, expected) => {
  expect(differs(one, other)).toBe(expected);
  expect(differs(other, one)).toBe(expected);
});

test("a status is written once, belongs to sluice, and the same status again writes nothing", async () => {
  await defineWidgets(ground);
  const namespace = await ground.namespace();
  const { operator } = ground.connect();
  await operator.create(WIDGETS, namespace, {
    apiVersion: WIDGETS.apiVersion,
    kind: "Widget",
    metadata: { name: "w" },
    spec: { replicas: 1 },
  });
  const held = await operator.get(WIDGETS, { namespace, name: "w" });
  const known = { namespace, name: "w", uid: held.metadata.uid, status: held["status"] };
  const status = {
    conditions: [{ type: "Ready", status: "True" }],
    nodes: [{ name: "split", parallelism: 3 }],
  };
  const written = await applyStatus(operator, WIDGETS, known, status);
  expect(written?.["status"]).toEqual(status);
  const managers = written?.metadata["managedFields"] as { manager: string; subresource?: string }[];
  expect(managers.find(({ subresource }) => subresource === "status")?.manager).toBe("sluice");
  expect(
    await applyStatus(operator, WIDGETS, { ...known, status: written?.["status"] }, status),
  ).toBeUndefined();
  const shorter = await applyStatus(operator, WIDGETS, known, { nodes: [] });
  expect(shorter?.["status"]).toEqual({ nodes: [] });
  const anew = { ...known, uid: "another" };
  expect((await faultOf(applyStatus(operator, WIDGETS, anew, status))).code).toBe("Conflict");
});

test("a status above 16 KiB is not written", async () => {
  const { operator } = ground.connect();
  const known = { namespace: "default", name: "w", uid: "u", status: undefined };
  const fault = await faultOf(applyStatus(operator, WIDGETS, known, { text: "x".repeat(16 * 1_024) }));
  expect(fault.message).toContain("more than 16384");
});

// Events

const news = (namespace: string, rest: Partial<EventNews> = {}): EventNews => ({
  regarding: {
    apiVersion: "sluice.dev/v1alpha1",
    kind: "ScalingPolicy",
    namespace,
    name: "clicks",
    uid: "u-1",
  },
  type: "Warning",
  reason: "SourceUnavailable",
  action: "Observe",
  note: "The source did not answer.",
  ...rest,
});

async function recording() {
  const namespace = await ground.namespace();
  const time = new HandTime();
  const { operator } = ground.connect();
  const recorder = eventRecorder(operator, { controller: "sluice.dev/operator", instance: "one", time });
  const events = async () => {
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    return (await expectStatus(ground.admin("GET", path), 200)).items ?? [];
  };
  return { namespace, time, recorder, events };
}

test("what is said again within ten minutes is one event with a count that is written at most once a minute", async () => {
  const { namespace, time, recorder, events } = await recording();
  recorder.record(news(namespace));
  await recorder.flush();
  time.pass(1_000);
  recorder.record(news(namespace));
  recorder.record(news(namespace, { note: "The source did not answer, again." }));
  time.pass(58_999);
  expect(recorder.figures).toMatchObject({ created: 1, counted: 0 });
  time.pass(1);
  await recorder.flush();
  expect(recorder.figures).toEqual({ created: 1, counted: 1, dropped: 0, failed: 0 });
  const [event, ...others] = await events();
  expect(others).toEqual([]);
  expect(event?.["note"]).toBe("The source did not answer.");
  expect(event?.["series"]).toEqual({ count: 3, lastObservedTime: "2026-01-01T00:00:01.000000Z" });
  time.pass(600_000);
  recorder.record(news(namespace));
  await recorder.flush();
  expect(await events()).toHaveLength(2);
});

test("an object gets at most ten new events a minute", async () => {
  const { namespace, time, recorder, events } = await recording();
  for (let at = 0; at < 12; at += 1)
    recorder.record(news(namespace, { reason: "Scaled", detail: `split ${at}` }));
  await recorder.flush();
  expect(recorder.figures).toMatchObject({ created: 10, dropped: 2 });
  time.pass(60_000);
  recorder.record(news(namespace, { reason: "Scaled", detail: "split 12" }));
  await recorder.flush();
  expect(await events()).toHaveLength(11);
});

test("an event that cannot be written is counted, not thrown, and the next one is made anew", async () => {
  const { recorder } = await recording();
  recorder.record(news("no-such-namespace"));
  recorder.record(news("no-such-namespace"));
  await recorder.flush();
  expect(recorder.figures).toMatchObject({ created: 0, failed: 2 });
});

test("a long note is cut at a whole character of 1 kB, and holds no control characters", async () => {
  const { namespace, recorder, events } = await recording();
  recorder.record(news(namespace, { note: `\u001b[2J\n${"é".repeat(600)}` }));
  await recorder.flush();
  expect((await events())[0]?.["note"]).toBe(` [2J ${"é".repeat(509)}`);
  expect(cutToBytes("aé", 2)).toBe("a");
});
