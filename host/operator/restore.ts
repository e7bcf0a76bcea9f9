import { asFault, Fault } from "../fault/index.ts";
import type { Change, ChangeOutcome, Memory } from "../knowledge/index.ts";
import type { Cluster, EventRecorder, Resource } from "../kube/index.ts";
import type { World } from "../loop/index.ts";
import { parsePolicy, type Policy } from "../policy/index.ts";
import { reshapeOf, spellMove } from "../topology/index.ts";
import { listedNews } from "./news.ts";
import { finalizersOf, manifestOf, RESTORE, type PolicyObject } from "./object.ts";

/** Brings back what ran before a policy that is deleted and wants it. */
export interface Restore {
  /** Keeps the policy until that is done, where its spec wants it, before anything is written. Why it cannot. */
  keep(object: PolicyObject, policy: Policy): Promise<Fault | undefined>;
  /** Does it, with the rights of the policy's account, and lets the policy go. Milliseconds until it is to be tried again. */
  bringBack(object: PolicyObject): Promise<number | undefined>;
}

interface Options {
  readonly cluster: Cluster;
  readonly resource: Resource;
  readonly world: World;
  readonly events: EventRecorder;
  /** Why another has a target of the policy's: then it is left to that one. */
  readonly owned: ((object: PolicyObject, policy: Policy) => Promise<Fault | undefined>) | undefined;
}

/** A policy that is deleted is let go after so many tries: a namespace that is deleted waits for all that is in it. */
const TRIES = 5;
/** Doubled with every try: half a minute in all. */
const FIRST_WAIT_MS = 2_000;
/** Somebody else writes the same object: it is read and written again. */
const CONFLICT_TRIES = 5;

export function restoring(options: Options): Restore {
  const tries = new Map<string, number>();
  return {
    async keep(object, { ownership, mode }) {
      const wants = ownership.onDelete === "Restore";
      // What never acts has nothing to bring back; what acted before keeps what it has.
      if (wants === object.isKept || (wants && mode !== "Enforce")) return undefined;
      try {
        await finalize(options, object, wants);
        return undefined;
      } catch (thrown) {
        return asFault(thrown);
      }
    },
    async bringBack(object) {
      if (!object.isKept) return undefined;
      const tried = (tries.get(object.uid) ?? 0) + 1;
      const left = await restore(options, object);
      if (left !== undefined && (left.code === "NotLeader" || tried < TRIES)) {
        if (left.code !== "NotLeader") tries.set(object.uid, tried);
        return FIRST_WAIT_MS * 2 ** (tried - 1);
      }
      if (left !== undefined)
        options.events.record(listedNews(object, "NotRestored", left.message, left.message));
      await finalize(options, object, false);
      tries.delete(object.uid);
      return undefined;
    },
  };
}

/** Brings back what can be; why something could not. What is gone is not missed. */
async function restore(options: Options, object: PolicyObject): Promise<Fault | undefined> {
  const parsed = parsePolicy(manifestOf(object));
  if (!parsed.ok) return new Fault("NotRestored", parsed.fault.message);
  const policy = parsed.value;
  const { world, owned } = options;
  try {
    const rival = await owned?.(object, policy);
    if (rival !== undefined) return new Fault("NotRestored", rival.message);
    const { memory, memoryLost, number } = await world.store.recall(policy);
    if (memory === undefined && (memoryLost === true || number > 0))
      return new Fault("NotRestored", "What ran before is not known any more");
    const { changes, faults } = await changesOf(world, policy, memory);
    const outcomes = changes.length === 0 ? [] : await scale(world, policy, changes);
    for (const change of changes) {
      const outcome = outcomes.find(({ node }) => node === change.node);
      const note = `${change.node}: ${spellMove(change)}`;
      if (outcome?.outcome === "Scaled") options.events.record(listedNews(object, "Restored", note, note));
    }
    return faults[0] ?? firstOf(outcomes);
  } catch (thrown) {
    return asFault(thrown);
  }
}

const scale = (world: World, policy: Policy, changes: readonly Change[]) =>
  world.driver.scale(policy, changes, () => world.mayWrite?.(policy));

function firstOf(outcomes: readonly ChangeOutcome[]): Fault | undefined {
  const failed = outcomes.find((one) => one.outcome === "Failed");
  return failed && new Fault(failed.code, `${failed.node}: ${failed.message}`);
}

/** Each node by itself, so that one that cannot be read keeps no other from being brought back. */
async function changesOf({ driver }: World, policy: Policy, memory: Memory | undefined) {
  const changes: Change[] = [];
  const faults: Fault[] = [];
  const foundFirst = (node: string) => {
    const { found, yielded } = memory?.nodes[node] ?? {};
    return yielded === undefined ? found : undefined;
  };
  const isReshaped = (node: string) => memory?.nodes[node]?.reshaped !== undefined;
  for (const part of partsOf(policy, (node) => foundFirst(node) !== undefined || isReshaped(node))) {
    try {
      const { nodes } = await driver.discover({ ...policy, nodes: part, respectDisruptionBudget: false });
      for (const { name, parallelism: from, resources, revision } of nodes) {
        const to = foundFirst(name) ?? from;
        const shape = memory?.nodes[name]?.reshaped?.found;
        const reshape = shape && reshapeOf(resources ?? {}, shape);
        if (from === to && reshape === undefined) continue;
        changes.push({ node: name, from, to, ...(reshape && { resources: reshape }), revision });
      }
    } catch (thrown) {
      const fault = asFault(thrown);
      const which = part.map(({ name }) => `${name}: `).join("");
      if (fault.code !== "TargetNotFound") faults.push(new Fault(fault.code, `${which}${fault.message}`));
    }
  }
  return { changes, faults };
}

/** What is read by itself: each node that is known, or a Flink job as a whole. */
const partsOf = ({ target, nodes }: Policy, isKnown: (node: string) => boolean) =>
  target.kind === "flink" ? [[]] : nodes.filter(({ name }) => isKnown(name)).map((node) => [node]);

/** Gives the policy the finalizer, or takes it away; one that is gone has none. */
async function finalize({ cluster, resource }: Options, object: PolicyObject, wants: boolean): Promise<void> {
  const place = { namespace: object.namespace, name: object.name };
  for (let tried = 1; ; tried += 1) {
    try {
      const now = await cluster.operator.get(resource, place);
      if (now.metadata.uid !== object.uid) return;
      const others = finalizersOf(now).filter((one) => one !== RESTORE);
      if (finalizersOf(now).includes(RESTORE) === wants) return;
      const { resourceVersion } = now.metadata;
      const finalizers = wants ? [...others, RESTORE] : others;
      await cluster.operator.patch(resource, place, "merge", { metadata: { resourceVersion, finalizers } });
      return;
    } catch (thrown) {
      const { code } = asFault(thrown);
      if (code === "TargetNotFound") return;
      if (code !== "Conflict" || tried >= CONFLICT_TRIES) throw thrown;
    }
  }
}
