import type { Algorithms, LoadedArtifact } from "../algorithm/index.ts";
import { viewOf, type PolicyView, type View } from "../console/index.ts";
import { asFault, type Fault } from "../fault/index.ts";
import type { Iteration } from "../knowledge/index.ts";
import {
  eventRecorder,
  objectKey,
  reflect,
  WorkQueue,
  type Cluster,
  type Reflector,
  type Time,
} from "../kube/index.ts";
import type { Shadows, World } from "../loop/index.ts";
import type { Policy, PolicyKey } from "../policy/index.ts";
import type { Ownership } from "./owned.ts";
import { collectLeftovers } from "./leftovers.ts";
import { trimPolicy, type PolicyObject } from "./object.ts";
import { restoring } from "./restore.ts";
import { Reconciler } from "./reconcile.ts";
import { reporter, type Reporter } from "./report.ts";
import type { ShardListener, Shards } from "./shards.ts";

/** A kind that the server does not have is looked for again after this, before anything is done for one of its objects. */
const UNSERVED_MS = 1_000;

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
  /** Whether the policies of a namespace come to their turns one after the other: a process is started for them. */
  readonly together?: boolean;
  /** This replica's name, in events. */
  readonly instance: string;
  /** Which policies are this replica's; absent, all are. */
  readonly shards?: Shards;
  /** Follows who else scales what; without it nobody else is looked for. `tell` is told of policies for which that changes. */
  readonly ownership?: (tell: (key: PolicyKey) => void) => Promise<Ownership>;
  readonly signal: AbortSignal;
}

export interface Operator {
  /** The last pass of each policy. */
  view(): View;
  /** How much is to do, and how well the cluster is heard. */
  figures(others?: readonly Followed[]): OperatorFigures;
  /** Whether all policies have been read. */
  hasSynced(): boolean;
  /** Ends when the signal was given and everything under way is done and told. */
  readonly ended: Promise<void>;
}

/** A copy of all objects of a kind. */
export interface Followed {
  readonly kind: string;
  readonly copies: Reflector<unknown>;
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
  /** Undefined where this replica has all policies. */
  readonly shards: { readonly held: number; readonly all: number } | undefined;
}

/** Follows the policies of a cluster and gives each its passes until the signal is given. */
export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const { cluster, time, signal, watcher, algorithms, shadows, world, instance, together } = options;
  const resource = await cluster.resource("sluice.dev/v1alpha1", "ScalingPolicy");
  const queue = new WorkQueue({ time });
  const views = new Map<PolicyKey, PolicyView>();
  const onFault = (fault: Fault) => watcher.failed(fault, undefined);
  const recorded = { controller: "sluice.dev/operator", instance, time, onFault };
  const events = eventRecorder(cluster.operator, recorded);
  const ownership = await options.ownership?.((key) => {
    reconciler.nudge(key);
    queue.add(key);
  });
  const policies: Reflector<PolicyObject> = reflect({
    ...{ api: cluster.operator, resource, trim: trimPolicy, onFault, time, signal },
    onEvent: (key) => {
      ownership?.policy(key as string as PolicyKey, policies.get(key));
      queue.add(key);
    },
  });
  const reconciler: Reconciler = new Reconciler({
    ...{ time, world, algorithms, shadows, together, owned: ownership?.owned, late: watcher.late },
    restore: restoring({ cluster, resource, world, events, owned: ownership?.owned }),
    reporter: owned(options.shards, reporter({ cluster, resource, events, now: () => time.now() })),
    held: (key) => heldIn(policies, key),
    observe: (policy, iteration, seconds) => {
      views.set(policy.key, viewOf(policy, iteration, shadows?.of(policy.key)?.last));
      watcher.passed(policy, iteration, seconds);
    },
    forget: async (key) => {
      views.delete(key);
      await watcher.gone(key);
    },
  });
  const work = ours(options.shards, policies, async (key) => {
    const againMs = policies.isServed() ? await reconciler.reconcile(key as PolicyKey) : UNSERVED_MS;
    queue.forget(key);
    if (againMs !== undefined) queue.addAfter(key, againMs);
  });
  options.shards?.listen(
    taking(options.shards, policies, queue, (key) => {
      reconciler.leave(key);
      views.delete(key);
    }),
  );
  const tell = (key: string, fault: Fault) => watcher.failed(fault, key);
  findLeftovers(options, policies, queue);
  const worked = queue.run(work, { ...turnsOf(options), signal, onFault: tell });
  return {
    view: () => ({ policies: [...views.values()].sort((one, other) => one.key.localeCompare(other.key)) }),
    figures: (others = []) => ({
      ...figuresOf(queue, [...followed(policies, ownership), ...others], time),
      shards: options.shards && { held: options.shards.held().length, all: options.shards.count },
    }),
    hasSynced: () => policies.hasSynced(),
    ended: Promise.all([worked, policies.ended, ownership?.autoscalers.ended])
      .then(() => Promise.all([events.flush(), shadows?.idle()]))
      .then(() => undefined)
      .catch((thrown: unknown) => watcher.failed(asFault(thrown), undefined)),
  };
}

/** Where a process is started for a tenant, it is handed as much as half of all workers can have. */
const turnsOf = ({ concurrency, together = false }: OperatorOptions) => ({
  concurrency,
  inARow: together ? Math.ceil(concurrency / 2) : 1,
});

/** The copies that the operator itself has. */
const followed = (policies: Reflector<PolicyObject>, ownership: Ownership | undefined): Followed[] => [
  { kind: "ScalingPolicy", copies: policies },
  ...(ownership === undefined ? [] : [{ kind: "HorizontalPodAutoscaler", copies: ownership.autoscalers }]),
];

const figuresOf = (queue: WorkQueue, all: readonly Followed[], time: Time) => ({
  queue: queueFigures(queue),
  informers: all.map((one) => informerFigures(one, time)),
});

const queueFigures = ({ depth, delayed, inWork, oldestMs }: WorkQueue): OperatorFigures["queue"] => ({
  ...{ ready: depth, delayed, inWork },
  oldestSeconds: oldestMs / 1_000,
});

function informerFigures({ kind, copies }: Followed, time: Time) {
  const { figures, size } = copies;
  const { lists, failures, missed, lastHeardMs } = figures;
  const silentSeconds = (time.elapsedMs() - lastHeardMs) / 1_000;
  return { kind, objects: size, silentSeconds, lists, failures, missed };
}

/** What is kept of policies that were deleted while nobody watched is dropped, once all that there are have been read. */
function findLeftovers(
  { time, signal, watcher }: OperatorOptions,
  policies: Reflector<PolicyObject>,
  queue: WorkQueue,
): void {
  const { known } = watcher;
  if (known === undefined) return;
  collectLeftovers({
    ...{ time, signal, known },
    onFault: (fault) => watcher.failed(fault, undefined),
    hasSynced: () => policies.hasSynced(),
    isHeld: (key) => heldIn(policies, key) !== undefined,
    gone: (key) => queue.add(key),
  });
}

/** The policies of a shard that comes are queued, those of one that goes are left. */
function taking(
  shards: Shards,
  policies: Reflector<PolicyObject>,
  queue: WorkQueue,
  leave: (key: PolicyKey) => void,
): ShardListener {
  const keysOf = (shard: number) =>
    policies.entries().flatMap(([, { key }]) => (shards.shardOf(key) === shard ? [key] : []));
  return {
    gained: (shard) => keysOf(shard).forEach((key) => queue.add(key)),
    lost: (shard) => keysOf(shard).forEach(leave),
  };
}

/** What a policy is told is told by its owner alone. */
function owned(shards: Shards | undefined, reporter: Reporter): Reporter {
  const report: Reporter["report"] = async (object, outcome, running) => {
    if (shards?.mayWrite(object.key) !== undefined) return;
    await reporter.report(object, outcome, running);
  };
  return { ...reporter, report };
}

/** The work on the policies of this replica; that one is gone concerns them all. */
function ours(
  shards: Shards | undefined,
  policies: Reflector<PolicyObject>,
  work: (key: string) => Promise<void>,
): (key: string) => Promise<void> {
  return async (key) => {
    const isGone = heldIn(policies, key as PolicyKey) === undefined;
    const done = shards === undefined || isGone ? () => undefined : shards.enter(key as PolicyKey);
    if (done === undefined) return;
    try {
      await work(key);
    } finally {
      done();
    }
  };
}

function heldIn(policies: Reflector<PolicyObject>, key: PolicyKey): PolicyObject | undefined {
  const [namespace, name = ""] = key.split("/");
  return policies.get(objectKey(namespace, name));
}
