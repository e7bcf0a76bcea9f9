import { kafkaStreamsDriver, kubernetesDriver } from "../../host/driver/index.ts";
import type { Kafka } from "../../host/kafka/index.ts";
import type { Driver } from "../../host/loop/index.ts";
import type { Policy, StreamsApplication } from "../../host/policy/index.ts";
import { policy } from "../builders.ts";
import { allow, deployment, expectStatus, SCALER_RULES, type Bed } from "../kube/bed.ts";
import type { KafkaBroker } from "../world/kafka.ts";
import { processNode, type ProcessNode } from "../world/index.ts";
import { SERVICE } from "./bed.ts";

/** What is different from application to application. */
export interface Wishes {
  readonly threads?: number;
  readonly partitions?: number;
  /** Instances that it begins with. */
  readonly replicas?: number;
  readonly kind?: "Deployment" | "StatefulSet";
  /** Sleep for each record of sub-topology 0. */
  readonly sleepMs?: number;
  readonly settings?: readonly string[];
  /** How long an instance is left to leave its group; 0 kills it. */
  readonly graceMs?: number;
}

/** A real application of Kafka Streams whose instances are processes, one for each pod of an object. */
export interface StreamsApp extends AsyncDisposable {
  readonly policy: Policy;
  readonly application: StreamsApplication;
  readonly driver: Driver;
  readonly node: ProcessNode;
  readonly input: string;
  /** What the driver finds of it. */
  readonly found: () => Promise<Awaited<ReturnType<Driver["discover"]>>["nodes"][number]>;
  /** Returns when the driver finds it settled with so many threads. */
  readonly settled: (threads: number) => Promise<void>;
  readonly scale: (from: number, to: number) => ReturnType<Driver["scale"]>;
  readonly replicas: () => Promise<number>;
}

/** Waits until what is asked for is so, as long as a few virtual machines of Java may take; throws after a minute. */
export async function eventually(so: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const endMs = performance.now() + 60_000; performance.now() < endMs;) {
    if (await so()) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`not within a minute: ${what}`);
}

let made = 0;

/** Makes the topics, the node and the object of an application called `count`. */
export async function streamsApp(
  ground: Bed,
  broker: KafkaBroker,
  kafka: Kafka,
  wishes: Wishes = {},
): Promise<StreamsApp> {
  const { threads = 2, partitions = 4, replicas = 1, kind = "Deployment", sleepMs = 5 } = wishes;
  const id = `counter-${process.pid}-${(made += 1)}`;
  const [input, output] = [`${id}.in`, `${id}.out`];
  await broker.createTopic(input, partitions);
  await broker.createTopic(output, 1);
  const namespace = await ground.namespace();
  await allow(ground, namespace, "scaler", SCALER_RULES);
  const node = await processNode(ground.admin, {
    command: ({ pod }) =>
      broker.java("SlowStreams", [
        ...[`127.0.0.1:${broker.ports.plain}`, id, input, output, String(threads), String(sleepMs)],
        `${broker.directory}/state/${id}/${pod}`,
        ...(wishes.settings ?? []).map((one) => one.replace("{pod}", pod)),
      ]),
    isReady: async ({ log }) => (await log()).includes("state running"),
    graceMs: wishes.graceMs ?? 4_000,
  });
  const path = `/apis/apps/v1/namespaces/${namespace}/${kind.toLowerCase()}s`;
  await expectStatus(ground.admin("POST", path, objectOf(kind, replicas, node.placement)), 201);
  const application: StreamsApplication = {
    ...{ name: "count", applicationId: id, bootstrap: [{ service: SERVICE }], credential: undefined },
    ...{ tls: undefined, threadsPerInstance: threads, subtopologies: [{ id: 1, name: "words" }] },
  };
  const ref = { apiVersion: "apps/v1", kind, name: "count" };
  const own = policy({
    namespace,
    target: { kind: "kafkaStreams", applications: [application] },
    nodes: [{ name: "count", ref, to: [], bounds: { min: 1, max: 16 }, attributes: {} }],
  });
  const driver = kafkaStreamsDriver(kubernetesDriver(ground.connect()), kafka);
  const found: StreamsApp["found"] = async () => {
    const [one] = (await driver.discover(own)).nodes;
    if (one === undefined) throw new Error("no node");
    return one;
  };
  return {
    ...{ policy: own, application, driver, node, input, found },
    settled: (wanted) =>
      eventually(async () => {
        // A broker that has just begun makes its own topics when it is first asked for a group.
        const one = await found().catch(() => undefined);
        return one?.settled === true && one.parallelism === wanted && one.ready === wanted;
      }, `${wanted} threads have settled`),
    scale: async (from, to) => {
      const { revision } = await found();
      return driver.scale(own, [{ node: "count", from, to, revision }], () => undefined);
    },
    replicas: async () => {
      const { spec } = await expectStatus(ground.admin("GET", `${path}/count`), 200);
      return Number(spec?.["replicas"] ?? 0);
    },
    async [Symbol.asyncDispose]() {
      await ground.admin("DELETE", `${path}/count`);
      await eventually(() => node.processes().length === 0, "the instances have gone");
      await node[Symbol.asyncDispose]();
    },
  };
}

function objectOf(kind: "Deployment" | "StatefulSet", replicas: number, placement: object) {
  const { spec, ...rest } = deployment("count", replicas);
  const template = { ...spec.template, spec: { ...spec.template.spec, ...placement } };
  if (kind === "Deployment") return { ...rest, spec: { ...spec, template } };
  const { selector } = spec;
  // Both at once: what is tested is who is in the group.
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name: "count" },
    spec: { replicas, selector, template, serviceName: "count", podManagementPolicy: "Parallel" },
  };
}
