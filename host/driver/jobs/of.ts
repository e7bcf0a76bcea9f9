import { Fault } from "../../fault/index.ts";
import { accountOf, type Cluster, type TenantApi } from "../../kube/index.ts";
import type { JobsTarget, Policy, TargetNode } from "../../policy/index.ts";

/** The target and the one node of a policy for jobs, and how its account calls. */
export interface JobsOf {
  readonly policy: Policy;
  readonly target: JobsTarget;
  readonly node: TargetNode;
  readonly api: TenantApi;
  readonly cluster: Cluster;
}

/** What a policy for jobs says, and its account. */
export function jobsOf(cluster: Cluster, policy: Policy): JobsOf {
  const { target } = policy;
  const [node] = policy.nodes;
  if (target.kind !== "jobs" || node === undefined) throw new Fault("Internal", "The target is not jobs");
  const api = cluster.as(accountOf(policy));
  return { policy, target, node, api, cluster };
}
