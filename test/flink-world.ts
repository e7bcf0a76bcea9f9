import { connect, type Cluster } from "../host/kube/index.ts";
import { quantity } from "../host/policy/index.ts";
import { allow, bed, deployment, expectStatus, SCALER_RULES, until, type Bed } from "./kube/bed.ts";
import { flink, flinkFiles, type Flink, type FlinkOptions } from "./world/flink.ts";
import { processNode, sharedCluster, type ProcessNode } from "./world/index.ts";
import { NoJava } from "./world/java.ts";

/** The TaskManagers of a Flink: pods of a Deployment `taskmanager` in a namespace. */
export interface Fleet extends AsyncDisposable {
  readonly node: ProcessNode;
  /** How often the job was restarted, by Flink's own count. */
  readonly restarts: (job: string) => Promise<number>;
  /** What the job is asked for, of the vertex of this name. */
  readonly bounds: (job: string, vertex: string) => Promise<unknown>;
  /** What the vertex of this name runs with. */
  readonly parallelism: (job: string, vertex: string) => Promise<number>;
  readonly replicas: () => Promise<number>;
  /** Names of the pods that are there. */
  readonly pods: () => Promise<string[]>;
}

/** A real Flink whose TaskManagers are in a namespace with an account `scaler`. */
export interface FlinkWorld extends Flink, Fleet {
  readonly cluster: Cluster;
  readonly namespace: string;
}

interface WorldOptions {
  /** TaskManagers at first, of two slots each. */
  readonly replicas: number;
  /** What of Flink is otherwise. */
  readonly flink?: Omit<FlinkOptions, "taskManagers">;
}

/** How to start one; undefined, with a warning, where there is no Flink. In CI that is a failure. */
export async function realFlink(): Promise<((options: WorldOptions) => Promise<FlinkWorld>) | undefined> {
  try {
    await flinkFiles();
    return start;
  } catch (thrown) {
    if (!(thrown instanceof NoJava) || process.env["CI"] === "true") throw thrown;
    process.stderr.write(`sluice: the tests with a real Flink are SKIPPED: ${thrown.message}\n`);
    return undefined;
  }
}

const PODS = { apiGroups: [""], resources: ["pods"], verbs: ["list", "patch"] };

async function start({ replicas, flink: options }: WorldOptions): Promise<FlinkWorld> {
  const world = await sharedCluster();
  const ground = await bed(world.kubeconfig);
  const namespace = await world.namespace();
  await allow(ground, namespace, "scaler", [...SCALER_RULES, PODS]);
  const { flink: jobs, fleet } = await fleetOf(ground, namespace, replicas, options);
  const cluster = connect({ kubeconfig: world.kubeconfig });
  return {
    ...{ ...jobs, ...fleet, cluster, namespace },
    async [Symbol.asyncDispose]() {
      await cluster.close();
      await fleet[Symbol.asyncDispose]();
      await jobs[Symbol.asyncDispose]();
      await ground[Symbol.asyncDispose]();
    },
  };
}

/** Starts a Flink, and its TaskManagers as pods of this namespace. */
export async function fleetOf(
  ground: Bed,
  namespace: string,
  replicas: number,
  options: WorldOptions["flink"] = {},
): Promise<{ flink: Flink; fleet: Fleet }> {
  const jobs = await flink({ ...options, taskManagers: 0 });
  const node = await processNode(ground.admin, {
    command: async ({ pod }) => jobs.taskManager(pod, await megabytesOf(ground, namespace, pod)),
    isReady: async ({ log }) => (await log()).includes("Successful registration at resource manager"),
  });
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const { spec, ...rest } = deployment("taskmanager", replicas);
  const template = { ...spec.template, spec: { ...spec.template.spec, ...node.placement } };
  await expectStatus(ground.admin("POST", path, { ...rest, spec: { ...spec, template } }), 201);
  const ready = async () => {
    const { status } = await expectStatus(ground.admin("GET", `${path}/taskmanager`), 200);
    return Number(status?.["readyReplicas"] ?? 0);
  };
  for (let tries = 0; tries < 6 && (await ready()) < replicas; tries += 1)
    await until(async () => (await ready()) === replicas, "TaskManagers are Ready").catch(() => undefined);
  const fleet: Fleet = {
    ...{ node, ...countsOf(jobs) },
    replicas: async () => {
      const found = await expectStatus(ground.admin("GET", `${path}/taskmanager`), 200);
      return Number(found["spec"]?.["replicas"]);
    },
    pods: async () => {
      const found = await expectStatus(ground.admin("GET", `/api/v1/namespaces/${namespace}/pods`), 200);
      return (found.items ?? []).map((pod) => String(pod["metadata"]?.["name"]));
    },
    async [Symbol.asyncDispose]() {
      await expectStatus(ground.admin("DELETE", `${path}/taskmanager`), 200);
      await node[Symbol.asyncDispose]();
    },
  };
  return { flink: jobs, fleet };
}

/** The memory that a pod requests; undefined where it says nothing. A TaskManager is told it by its pod. */
async function megabytesOf(ground: Bed, namespace: string, pod: string): Promise<number | undefined> {
  const { spec } = await expectStatus(
    ground.admin("GET", `/api/v1/namespaces/${namespace}/pods/${pod}`),
    200,
  );
  const [found] = (spec as unknown as PodSpec).containers;
  const memory = found?.resources?.requests?.["memory"];
  return memory === undefined ? undefined : (quantity(memory) ?? Number.NaN) / 2 ** 20;
}
interface PodSpec {
  readonly containers: readonly { resources?: { requests?: Readonly<Record<string, string>> } }[];
}

interface JobAnswer {
  readonly vertices: readonly { readonly id: string; readonly name: string; readonly parallelism: number }[];
}

function countsOf({ rest }: Flink): Pick<Fleet, "restarts" | "bounds" | "parallelism"> {
  const vertexOf = async (job: string, vertex: string) => {
    const { vertices } = (await rest("GET", `/jobs/${job}`)) as JobAnswer;
    return vertices.find(({ name }) => name === vertex);
  };
  return {
    restarts: async (job) => {
      let value: number | undefined;
      // A figure that was fetched a moment ago may be from before the restart.
      for (let same = 0; same < 6;) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        const [answer] = (await rest("GET", `/jobs/${job}/metrics?get=numRestarts`)) as { value: string }[];
        const next = Number(answer?.value ?? Number.NaN);
        same = next === value ? same + 1 : 0;
        value = next;
      }
      return value ?? Number.NaN;
    },
    parallelism: async (job, vertex) => (await vertexOf(job, vertex))?.parallelism ?? Number.NaN,
    bounds: async (job, vertex) => {
      const asked = (await rest("GET", `/jobs/${job}/resource-requirements`)) as Record<
        string,
        { parallelism: unknown }
      >;
      return asked[(await vertexOf(job, vertex))?.id ?? ""]?.parallelism;
    },
  };
}
