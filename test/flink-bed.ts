import { setTimeout as sleep } from "node:timers/promises";
import { flinkAddress, flinkDriver } from "../host/driver/index.ts";
import { jobManagers } from "../host/flink/index.ts";
import { machineTime, type Cluster } from "../host/kube/index.ts";
import type { Change } from "../host/knowledge/index.ts";
import type { Driver } from "../host/loop/index.ts";
import type { FlinkTarget, Policy, ServicePort } from "../host/policy/index.ts";
import type { Topology } from "../host/topology/index.ts";
import { policy } from "./builders.ts";

/** What a policy says of a Flink job, every default filled in. */
export const flinkTarget = (rest: Partial<FlinkTarget> = {}): FlinkTarget => ({
  kind: "flink",
  jobManager: { service: { name: "jobmanager", port: 8081 } },
  job: undefined,
  taskManagers: undefined,
  vertices: [],
  bounds: { min: 1, max: 16 },
  ...rest,
});

/** A policy that scales it. */
export const flinkPolicy = (target: Partial<FlinkTarget> = {}, rest: Partial<Policy> = {}): Policy =>
  policy({ target: flinkTarget(target), nodes: [], ...rest });

/** The driver, with a JobManager at this address whatever the policy names, and little patience. */
export function flinkDriverAt(
  url: () => URL,
  cluster: Cluster,
  waitMs = 20_000,
  asked: (policy: Policy, service: ServicePort) => void = () => undefined,
) {
  const endpoint = (one: Policy, service: ServicePort) => {
    asked(one, service);
    return Promise.resolve(url());
  };
  const reached = jobManagers(flinkAddress(cluster, endpoint));
  const patience = { time: machineTime, slotsMs: waitMs, settleMs: waitMs, pollMs: 100 };
  const driver = flinkDriver({ cluster, jobManagers: reached, ...patience });
  return { driver, jobManagers: reached, close: () => reached.close() };
}

/** Anybody may write. */
export const anybody = () => undefined;

/** The change of a node as it was found to another number. */
export function change(found: Topology, node: string, to: number): Change {
  const { parallelism: from, revision } = nodeOf(found, node);
  return { node, from, to, revision };
}

export function nodeOf({ nodes }: Topology, name: string) {
  const found = nodes.find((one) => one.name === name);
  if (found === undefined)
    throw new Error(`no node ${name} among ${nodes.map((one) => one.name).join(", ")}`);
  return found;
}

/** Returns the topology as soon as the job runs as it is asked to; throws after half a minute. */
export async function settled(driver: Driver, one: Policy): Promise<Topology> {
  for (const endMs = performance.now() + 30_000; performance.now() < endMs; await sleep(100)) {
    const found = await driver.discover(one).catch(() => undefined);
    if (found?.unsteady === undefined && found?.nodes.every((node) => node.settled)) return found;
  }
  throw new Error("the job does not settle");
}

/** A figure for whoever runs the tests; nothing depends on it. */
export const told = (text: string) => void process.stderr.write(`sluice: ${text}\n`);

const notAsked = () => {
  throw new Error("no Kubernetes is to be asked");
};

/** No cluster: for a JobManager that is a service, and TaskManagers that are somebody else's. */
export const noCluster: Cluster = {
  ...{ as: notAsked, resource: notAsked, host: notAsked, close: () => Promise.resolve() },
  get operator() {
    return notAsked();
  },
  get leases() {
    return notAsked();
  },
};
