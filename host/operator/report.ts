import {
  applyStatus,
  type Cluster,
  type EventRecorder,
  type KubeObject,
  type Resource,
} from "../kube/index.ts";
import type { PolicyKey, ScalingPolicyStatus } from "../policy/index.ts";
import { findings, type Outcome } from "./conditions.ts";
import { driftedOf, newsOf, unsettledOf } from "./news.ts";
import type { PolicyObject } from "./object.ts";
import { statusAfter, type RunningArtifact } from "./status.ts";

/** Tells the users of a policy what became of it: status and events, written here and nowhere else. */
export interface Reporter {
  /** Writes only what differs from what was said last. Throws if the status cannot be written. */
  report(
    object: PolicyObject,
    outcome: Outcome,
    running: readonly RunningArtifact[] | undefined,
  ): Promise<void>;
  forget(key: PolicyKey): void;
}

export interface ReporterOptions {
  readonly cluster: Cluster;
  readonly resource: Resource;
  readonly events: EventRecorder;
  readonly now: () => Date;
}

/**
 * The copy of a policy that is watched lags behind our own writes; what was written last is kept beside it. As soon as the
 * copy moves it counts again: then it has our own write, or what somebody wrote after it, such as an operator that was
 * taken for dead.
 */
interface Said {
  readonly uid: string;
  /** The version of the copy when it was written. */
  readonly copy: string;
  readonly status: ScalingPolicyStatus;
  readonly trouble: string | undefined;
  /** Why changes do not come to serve. */
  readonly unsettled: string | undefined;
  /** What others made of nodes. */
  readonly drifted: string | undefined;
}

/** A reporter that writes as the operator: status and events of a policy are the operator's own. */
export function reporter({ cluster, resource, events, now }: ReporterOptions): Reporter {
  const said = new Map<PolicyKey, Said>();
  return {
    async report(object, outcome, running) {
      const held = said.get(object.key);
      const { namespace, name, uid, resourceVersion: copy } = object;
      const before =
        held?.uid === uid ? held : { trouble: undefined, unsettled: undefined, drifted: undefined };
      const last = held?.uid === uid && held.copy === copy ? held.status : object.status;
      // What is handed over to other replicas has a writer of its own.
      const { checkpoint: _checkpoint, ...known } = last;
      const status = statusAfter(known, outcome, running, object.generation, now().toISOString());
      const written = await applyStatus(
        cluster.operator,
        resource,
        { namespace, name, uid, status: known },
        status,
      );
      const trouble = findings(outcome).find((one) => one.type === "Ready" && one.status === "False")?.reason;
      const unsettled = unsettledOf(outcome);
      const drifted = driftedOf(outcome);
      said.set(object.key, {
        ...{ uid, copy, status: statusOf(written) ?? status, trouble },
        unsettled: unsettled?.reason,
        drifted: drifted?.message,
      });
      const isNew = {
        trouble: trouble !== before.trouble,
        unsettled: unsettled?.reason !== before.unsettled,
        drifted: drifted?.message !== before.drifted,
      };
      for (const news of newsOf(object, outcome, isNew)) events.record(news);
    },
    forget: (key) => void said.delete(key),
  };
}

const statusOf = (written: KubeObject | undefined) => written?.["status"] as ScalingPolicyStatus | undefined;
