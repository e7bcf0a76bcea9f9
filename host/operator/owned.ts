import { Fault } from "../fault/index.ts";
import { reflect, Reviews, serviceAccount, type Cluster, type Reflector, type Time } from "../kube/index.ts";
import type { Policy, PolicyKey } from "../policy/index.ts";
import { autoscalerTarget, Claims, type AutoscalerTarget } from "./claims.ts";
import type { PolicyObject } from "./object.ts";

/** Who scales what in a cluster. */
export interface Ownership {
  /** Takes a policy as it is now; undefined is gone. */
  policy(key: PolicyKey, object: PolicyObject | undefined): void;
  /** Why a policy is to leave its targets alone. */
  owned(object: PolicyObject, policy: Policy): Promise<Fault | undefined>;
  /** The HorizontalPodAutoscalers, for the metrics. */
  readonly autoscalers: Reflector<AutoscalerTarget | undefined>;
}

interface Options {
  readonly cluster: Cluster;
  readonly time: Time;
  readonly signal: AbortSignal;
  readonly onFault: (fault: Fault) => void;
  /** Told of every policy for which it has changed who has its targets. */
  readonly tell: (key: PolicyKey) => void;
}

/** Follows the HorizontalPodAutoscalers of a cluster; who has which target follows from them and from the policies. */
export async function followOwnership({ cluster, time, signal, onFault, tell }: Options): Promise<Ownership> {
  const resource = await cluster.resource("autoscaling/v2", "HorizontalPodAutoscaler");
  const claims = new Claims(tell);
  const reviews = new Reviews(cluster, time);
  const autoscalers: Reflector<AutoscalerTarget | undefined> = reflect({
    ...{ api: cluster.operator, resource, trim: autoscalerTarget, onFault, time, signal },
    // What is told comes from the network, long after this line.
    onEvent: (key) => claims.autoscaler(key, autoscalers.get(key)),
  });
  return {
    autoscalers,
    policy: (key, object) => claims.policy(key, object),
    async owned(object, { namespace, serviceAccountName }) {
      const rival = claims.rivalOf(object);
      if (rival === undefined) return undefined;
      // What the operator knows of others is told to those who may know it themselves.
      const account = serviceAccount(namespace, serviceAccountName);
      const mayKnow = rival.kind === "ScalingPolicy" || (await reviews.mayGet(account, resource));
      const who = mayKnow ? `The ${rival.kind} ${rival.name}` : "Another autoscaler";
      return new Fault("TargetOwned", `${who} scales the ${rival.of}`, { field: "spec.target" });
    },
  };
}
