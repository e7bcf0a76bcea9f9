import { asFault, Fault } from "../fault/index.ts";
import type { Iteration, Memory, Moment, NodeMemory, Past } from "../knowledge/index.ts";
import { fieldsOf } from "../kube/index.ts";

/** A status is stored with every version of its object: what another replica needs has a part of it. */
const CHECKPOINT_BYTES = 8 * 1_024;
const VERSION = 1;
/** In the place of a time: it was still said when the checkpoint was read. */
const STILL = 0;

/** What another replica needs to go on safely, as it stands in `status.checkpoint`. */
export interface Checkpoint {
  readonly version: typeof VERSION;
  /** Of the lease under which it was written: a replica of a lower one is no longer the owner. */
  readonly epoch: number;
  /** Of the last pass when it was written. */
  readonly number: number;
  readonly memory?: Memory;
  /** The memory did not fit: nothing may shrink for one window. */
  readonly lost?: true;
  readonly open?: OpenDecision;
}

/** A decision that may not have been carried out on all of its nodes. */
type OpenDecision = Pick<Iteration, "id" | "number" | "at" | "generation" | "decision" | "changes">;

/** What is worth telling another replica after a pass; at most 8 KiB. Throws `StoreUnavailable` for a decision above that. */
export function checkpointOf(iteration: Iteration, epoch: number): Checkpoint {
  const { id, number, at, generation, decision, changes, memory } = iteration;
  const open: OpenDecision | undefined =
    iteration.outcome === "Open"
      ? { id, number, at, ...(generation !== undefined && { generation }), decision, changes }
      : undefined;
  const rest = { version: VERSION, epoch, number, ...(open !== undefined && { open }) } as const;
  const whole = memory === undefined ? rest : { ...rest, memory: folded(memory) };
  if (bytesOf(whole) <= CHECKPOINT_BYTES) return whole;
  const cut: Checkpoint = { ...rest, lost: true };
  if (bytesOf(cut) <= CHECKPOINT_BYTES) return cut;
  throw new Fault(
    "StoreUnavailable",
    `Decision ${id} has more than ${CHECKPOINT_BYTES} bytes for a checkpoint`,
    {
      remedy: "Split the policy: too many nodes change at once.",
    },
  );
}

/** Equal for two checkpoints that tell another replica the same; the number of the pass alone tells nothing. */
export const meaningOf = ({ number: _number, ...rest }: Checkpoint): string => JSON.stringify(rest);

/** Reads what stands in a status; undefined where nothing does. Throws `KnowledgeCorrupt` for what is no checkpoint. */
export function readCheckpoint(value: unknown): Checkpoint | undefined {
  if (value === undefined) return undefined;
  const { version, epoch, number, memory, open } = fieldsOf(value);
  const isRead =
    version === VERSION &&
    Number.isInteger(epoch) &&
    Number.isInteger(number) &&
    (memory === undefined || fieldsOf(memory)["nodes"] !== undefined) &&
    (open === undefined || isOpen(fieldsOf(open)));
  if (isRead) return value as Checkpoint;
  throw new Fault("KnowledgeCorrupt", "status.checkpoint is not as the operator wrote it");
}

const isOpen = ({ id, number, at, decision, changes }: ReturnType<typeof fieldsOf>): boolean =>
  typeof id === "string" &&
  Number.isInteger(number) &&
  typeof at === "string" &&
  Array.isArray(changes) &&
  Array.isArray(fieldsOf(decision)["changes"]) &&
  Array.isArray(fieldsOf(decision)["verdicts"]);

/** What is known of a policy by the checkpoint of another replica, with this one's history, which is only advice. */
export function pastFrom(checkpoint: Checkpoint, own: Past, nowMs: number): Past {
  const { number, memory: stored, open, lost } = checkpoint;
  const memory = stored && unfolded(stored, nowMs);
  return {
    number: Math.max(number, own.number),
    carry: undefined,
    history: own.history,
    ...(memory !== undefined && { memory }),
    ...(lost === true && { memoryLost: true }),
    open: open && {
      ...{ ...open, topology: undefined, sources: {}, answers: {}, outcome: "Open" as const },
      ...{ fault: undefined, carry: undefined },
      ...(memory !== undefined && { memory }),
    },
  };
}

/** Whether another replica has worked on the policy since this one's own knowledge was written. */
export const isNewer = ({ epoch, number }: Checkpoint, { memory, number: own }: Past): boolean =>
  epoch > (memory?.epoch ?? -1) || (epoch === memory?.epoch && number > own);

/** What was wanted in a row counts once, by when it was last said: a policy at rest has the same checkpoint for ever. */
function folded({ epoch: _epoch, ...memory }: Memory): Memory {
  return withWants(memory, (wants) => {
    const lasts = wants.filter(([, value], at) => wants[at + 1]?.[1] !== value);
    return lasts.map(([atMs, value], at) => [at === lasts.length - 1 ? STILL : atMs, value] as const);
  });
}

/** Nobody knows until when the last number was said: to be on the safe side, until now. */
const unfolded = (memory: Memory, nowMs: number): Memory =>
  withWants(memory, (wants) => wants.map(([atMs, value]) => [atMs === STILL ? nowMs : atMs, value] as const));

function withWants(memory: Memory, change: (wants: readonly Moment[]) => readonly Moment[]): Memory {
  const nodes = Object.entries(memory.nodes).map(([name, node]): [string, NodeMemory] => [
    name,
    node.wants === undefined ? node : { ...node, wants: change(node.wants) },
  ]);
  return { ...memory, nodes: Object.fromEntries(nodes) };
}

const bytesOf = (value: object): number => Buffer.byteLength(JSON.stringify(value), "utf8");

/** The fault of a checkpoint that could not be written before a decision is acted on: without it nothing is scaled. */
export function unwritten(thrown: unknown): Fault {
  const fault = asFault(thrown);
  if (fault.code === "NotLeader" || fault.code === "StoreUnavailable") return fault;
  return new Fault("StoreUnavailable", `status.checkpoint could not be written: ${fault.sentence}`, {
    retry: true,
    cause: thrown,
    ...(fault.retryAfterSeconds !== undefined && { retryAfterSeconds: fault.retryAfterSeconds }),
  });
}
