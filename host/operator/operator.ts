import type { Algorithms, LoadedArtifact } from "../algorithm/index.ts";
import { viewOf, type PolicyView, type View } from "../console/index.ts";
import { asFault, type Fault } from "../fault/index.ts";
import type { Iteration } from "../knowledge/index.ts";
import {
  eventRecorder,
  jittered,
  objectKey,
  reflect,
  WorkQueue,
  type Cluster,
  type Reflector,
  type Time,
} from "../kube/index.ts";
import type { Shadows, World } from "../loop/index.ts";
import type { Policy, PolicyKey } from "../policy/index.ts";
import { collectLeftovers } from "./leftovers.ts";
import { trimPolicy, type PolicyObject } from "./object.ts";
import { Reconciler } from "./reconcile.ts";
import { reporter } from "./report.ts";

/** What is told of the operator's work to those who count, log and keep. */
export interface Watcher {
  readonly passed: (policy: Policy, iteration: Iteration, seconds: number) => void;
  /** How long after it was due a pass began. */
  readonly late?: (seconds: number) => void;
  /** The policies that something is kept of: those that are no more are `gone` once all that there are have been read. */
  readonly known?: () => Promise<readonly PolicyKey[]>;
  readonly gone: (key: PolicyKey) => Promise<void>;
  readonly failed: (fault: Fault, key: string | undefined) => void;
}

export interface OperatorOptions {
  readonly cluster: Cluster;
  readonly world: World;
  readonly algorithms: Algorithms;
  readonly shadows?: Shadows<LoadedArtifact>;
  readonly watcher: Watcher;
  readonly time: Time;
  /** Passes at the same time, of all policies together. */
  readonly concurrency: number;
  /** This replica's name, in events. */
  readonly instance: string;
  readonly signal: AbortSignal;
}

export interface Operator {
  /** The last pass of each policy. */
  view(): View;
  /** How much is to do, and how well the cluster is heard. */
  figures(): OperatorFigures;
  /** Whether all policies have been read. */
  hasSynced(): boolean;
  /** Ends when the signal was given and everything under way is done and told. */
  readonly ended: Promise<void>;
}

/** As the metrics show them. */
export interface OperatorFigures {
  readonly queue: {
    readonly ready: number;
    readonly delayed: number;
    readonly inWork: number;
    readonly oldestSeconds: number;
  };
  readonly informers: readonly {
    readonly kind: string;
    readonly objects: number;
    readonly silentSeconds: number;
    readonly lists: number;
    readonly failures: number;
    readonly missed: number;
  }[];
}

/** A policy comes to its turn up to this much earlier or later, so that many with one interval spread. */
const JITTER_SHARE = 0.05;

/** Follows the policies of a cluster and gives each its passes until the signal is given. */
export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const { cluster, time, signal, watcher, algorithms, shadows, world } = options;
  const resource = await cluster.resource("sluice.dev/v1alpha1", "ScalingPolicy");
  const queue = new WorkQueue({ time });
  const views = new Map<PolicyKey, PolicyView>();
  const onFault = (fault: Fault) => watcher.failed(fault, undefined);
  const events = eventRecorder(cluster.operator, {
    controller: "sluice.dev/operator",
    instance: options.instance,
    time,
    onFault,
  });
  const policies = reflect({
    api: cluster.operator,
    resource,
    trim: trimPolicy,
    onEvent: (key) => queue.add(key),
    onFault,
    time,
    signal,
  });
  const reconciler = new Reconciler({
    time,
    world,
    algorithms,
    shadows,
    reporter: reporter({ cluster, resource, events, now: () => time.now() }),
    held: (key) => heldIn(policies, key),
    observe: (policy, iteration, seconds) => {
      views.set(policy.key, viewOf(policy, iteration, shadows?.of(policy.key)?.last));
      watcher.passed(policy, iteration, seconds);
    },
    ...(watcher.late === undefined ? {} : { late: watcher.late }),
    forget: async (key) => {
      views.delete(key);
      await watcher.gone(key);
    },
  });
  const work = async (key: string): Promise<void> => {
    const againMs = await reconciler.reconcile(key as PolicyKey);
    queue.forget(key);
    if (againMs !== undefined) queue.addAfter(key, jittered(time, againMs, JITTER_SHARE));
  };
  const tell = (key: string, fault: Fault) => watcher.failed(fault, key);
  const known = watcher.known;
  if (known !== undefined)
    collectLeftovers({
      ...{ time, signal, known, onFault, hasSynced: () => policies.hasSynced() },
      isHeld: (key) => heldIn(policies, key) !== undefined,
      gone: (key) => queue.add(key),
    });
  const worked = queue.run(work, { concurrency: options.concurrency, signal, onFault: tell });
  return {
    view: () => ({ policies: [...views.values()].sort((one, other) => one.key.localeCompare(other.key)) }),
    figures: () => ({
      queue: queueFigures(queue),
      informers: [informerFigures("ScalingPolicy", policies, time)],
    }),
    hasSynced: () => policies.hasSynced(),
    ended: Promise.all([worked, policies.ended])
      .then(() => Promise.all([events.flush(), shadows?.idle()]))
      .then(() => undefined)
      .catch((thrown: unknown) => watcher.failed(asFault(thrown), undefined)),
  };
}

const queueFigures = ({ depth, delayed, inWork, oldestMs }: WorkQueue): OperatorFigures["queue"] => ({
  ...{ ready: depth, delayed, inWork },
  oldestSeconds: oldestMs / 1_000,
});

function informerFigures(kind: string, { figures, size }: Reflector<unknown>, time: Time) {
  const { lists, failures, missed, lastHeardMs } = figures;
  const silentSeconds = (time.elapsedMs() - lastHeardMs) / 1_000;
  return { kind, objects: size, silentSeconds, lists, failures, missed };
}

function heldIn(policies: Reflector<PolicyObject>, key: PolicyKey): PolicyObject | undefined {
  const [namespace, name = ""] = key.split("/");
  return policies.get(objectKey(namespace, name));
}
