import { asFault, Fault } from "../fault/index.ts";
import type { Iteration, Past } from "../knowledge/index.ts";
import { fieldsOf, type Cluster, type KubeObject, type Resource } from "../kube/index.ts";
import type { Clock, Store } from "../loop/index.ts";
import type { Policy, PolicyKey } from "../policy/index.ts";
import {
  checkpointOf,
  isNewer,
  meaningOf,
  pastFrom,
  readCheckpoint,
  unwritten,
  type Checkpoint,
} from "./checkpoint.ts";
import type { Shards } from "./shards.ts";

/** The owner of `status.checkpoint`, and of nothing else in the status. */
const FIELD_MANAGER = "sluice-checkpoint";
/** Anything may write to the object between reading and writing. */
const WRITE_TRIES = 4;

export interface HandOverOptions {
  /** What this replica itself remembers. */
  readonly store: Store;
  readonly cluster: Cluster;
  readonly shards: Shards;
  readonly clock: Clock;
  readonly onFault: (fault: Fault, key: PolicyKey) => void;
}

interface Known {
  readonly uid: string;
  readonly epoch: number;
  /** Of the checkpoint that stands in the cluster; undefined if nobody knows. */
  readonly meaning: string | undefined;
}

/**
 * Knowledge that another replica can go on from: an open decision and what the guardrails remember are in the policy's
 * status before a decision is acted on, and the first pass under a lease begins with what stands there. Recalling and
 * remembering throw `NotLeader` where a replica of a higher epoch has been at work.
 */
export function handedOver({ store, cluster, shards, clock, onFault }: HandOverOptions): Store {
  const known = new Map<PolicyKey, Known>();
  const policies = () => cluster.resource("sluice.dev/v1alpha1", "ScalingPolicy");

  const take = async (policy: Policy, epoch: number): Promise<Past> => {
    const own = await store.recall(policy);
    const object = await read(cluster, await policies(), policy);
    const { checkpoint: value, lastChange } = fieldsOf(object["status"]);
    let checkpoint: Checkpoint | undefined;
    let isCorrupt = false;
    try {
      checkpoint = readCheckpoint(value);
    } catch (thrown) {
      isCorrupt = true;
      onFault(asFault(thrown), policy.key);
    }
    if (checkpoint !== undefined) outrank(shards, policy, checkpoint, epoch);
    known.set(policy.key, { uid: policy.uid, epoch, meaning: checkpoint && meaningOf(checkpoint) });
    if (checkpoint !== undefined && isNewer(checkpoint, own))
      return pastFrom(checkpoint, own, clock.now().getTime());
    // It was scaled before, and nobody says when and by how much.
    const isUnknown = isCorrupt || (own.number === 0 && lastChange !== undefined && checkpoint === undefined);
    return isUnknown ? { ...own, memoryLost: true } : own;
  };

  const write = async (policy: Policy, iteration: Iteration, epoch: number): Promise<void> => {
    const next = checkpointOf(iteration, epoch);
    const meaning = meaningOf(next);
    if (known.get(policy.key)?.meaning === meaning) return;
    const { uid, key } = policy;
    known.set(key, { uid, epoch, meaning: undefined });
    await apply({ cluster, shards }, await policies(), policy, next);
    known.set(key, { uid, epoch, meaning });
  };

  return {
    recall: async (policy) => {
      const epoch = shards.epochOf(policy.key);
      const last = known.get(policy.key);
      return last?.uid === policy.uid && last.epoch === epoch ? store.recall(policy) : take(policy, epoch);
    },
    remember: async (policy, iteration) => {
      const epoch = shards.epochOf(policy.key);
      const memory = { nodes: {}, ...iteration.memory, epoch };
      await store.remember(policy, { ...iteration, memory });
      try {
        await write(policy, iteration, epoch);
      } catch (thrown) {
        if (iteration.outcome === "Open") throw unwritten(thrown);
        onFault(asFault(thrown), policy.key);
      }
    },
  };
}

const read = (cluster: Cluster, resource: Resource, { namespace, name }: Policy): Promise<KubeObject> =>
  cluster.operator.get(resource, { namespace, name });

/** Throws if the checkpoint is of a higher epoch; if the lease only counts anew, the next renewal is above it. */
function outrank(shards: Shards, { key }: Policy, checkpoint: Checkpoint, epoch: number): void {
  if (checkpoint.epoch <= epoch) return;
  shards.exceed(key, checkpoint.epoch);
  const message = `The checkpoint is of epoch ${checkpoint.epoch}, and this replica's is ${epoch}`;
  throw new Fault("NotLeader", message, { retry: true });
}

/** Writes on the condition that no replica of a higher epoch has written, nor anybody since it was read. */
async function apply(
  { cluster, shards }: Pick<HandOverOptions, "cluster" | "shards">,
  resource: Resource,
  policy: Policy,
  checkpoint: Checkpoint,
): Promise<void> {
  const { namespace, name, uid, key } = policy;
  for (let tries = 1; ; tries += 1) {
    const object = await read(cluster, resource, policy);
    const written = writtenIn(object);
    if (written !== undefined) outrank(shards, policy, written, checkpoint.epoch);
    const refused = shards.mayWrite(key);
    if (refused !== undefined) throw refused;
    const { apiVersion, kind } = resource;
    const metadata = { namespace, name, uid, resourceVersion: object.metadata.resourceVersion };
    const next = { apiVersion, kind, metadata, status: { checkpoint } };
    const how = { fieldManager: FIELD_MANAGER, force: true };
    try {
      await cluster.operator.apply(resource, { namespace, name }, next, how, "status");
      return;
    } catch (thrown) {
      if (asFault(thrown).code !== "Conflict" || tries >= WRITE_TRIES) throw thrown;
    }
  }
}

/** One that cannot be read is written over. */
function writtenIn(object: KubeObject): Checkpoint | undefined {
  try {
    return readCheckpoint(fieldsOf(object["status"])["checkpoint"]);
  } catch {
    return undefined;
  }
}
