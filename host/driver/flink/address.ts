import { asFault, Fault } from "../../fault/index.ts";
import { accountOf, fieldsOf, type Cluster, type KubeObject } from "../../kube/index.ts";
import type { FlinkTarget, Policy, ServicePort } from "../../policy/index.ts";

/** The address of a service in the policy's namespace; it throws a fault if the policy may not use it. */
type Endpoint = (policy: Policy, service: ServicePort) => Promise<URL>;

/** Where the Flink Kubernetes operator has a JobManager answer: a Service of this name and port. */
const REST_SUFFIX = "-rest";
const REST_PORT = 8081;
const FIELD = "spec.target.flink.jobManager";

/**
 * Finds a policy's JobManager: the service that it names, or the one that the Flink Kubernetes operator makes for the
 * FlinkDeployment that it names, or that its FlinkSessionJob runs in.
 */
export function flinkAddress(cluster: Cluster, endpoint: Endpoint): (policy: Policy) => Promise<URL> {
  return async (policy) => {
    const service = await serviceOf(cluster, policy, flinkTarget(policy));
    try {
      return await endpoint(policy, service);
    } catch (thrown) {
      const fault = asFault(thrown);
      if (fault.code !== "SourceUnavailable" && fault.code !== "TargetNotFound") throw thrown;
      const detail = { field: FIELD, remedy: REMEDY, retry: true, cause: thrown };
      throw new Fault("TargetNotFound", fault.message, detail);
    }
  };
}

const REMEDY = "Name the Service of the JobManager's REST interface, and its port.";

/** What a Flink policy says of its target. */
export function flinkTarget({ target }: Policy): FlinkTarget {
  if (target.kind === "flink") return target;
  throw new Fault("Internal", `The Flink driver was handed a target of the kind ${target.kind}`);
}

async function serviceOf(
  cluster: Cluster,
  policy: Policy,
  { jobManager }: FlinkTarget,
): Promise<ServicePort> {
  if ("service" in jobManager) return jobManager.service;
  if ("flinkDeployment" in jobManager) return restOf(jobManager.flinkDeployment);
  const { spec } = await readCustom(cluster, policy, "FlinkSessionJob", jobManager.flinkSessionJob);
  const deployment = fieldsOf(spec)["deploymentName"];
  if (typeof deployment === "string" && deployment !== "") return restOf(deployment);
  const message = `FlinkSessionJob ${jobManager.flinkSessionJob} names no FlinkDeployment`;
  throw new Fault("TargetNotFound", message, { field: FIELD });
}

const restOf = (deployment: string): ServicePort => ({
  name: `${deployment}${REST_SUFFIX}`,
  port: REST_PORT,
});

/** The group and version that the Flink Kubernetes operator serves its kinds in. */
export const FLINK_API = "flink.apache.org/v1beta1";

/** An object of the Flink Kubernetes operator, read as the policy's account. */
export async function readCustom(
  cluster: Cluster,
  policy: Policy,
  kind: "FlinkDeployment" | "FlinkSessionJob",
  name: string,
): Promise<KubeObject> {
  const resource = await cluster.resource(FLINK_API, kind);
  return cluster.as(accountOf(policy)).get(resource, name);
}
