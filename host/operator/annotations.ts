import { Fault } from "../fault/index.ts";
import { fieldsOf } from "../kube/index.ts";
import type { ByHand, Policy } from "../policy/index.ts";
import type { PolicyObject } from "./object.ts";

/** What somebody asked of a policy by hand, beside its spec. */
export interface Asked {
  /** No decisions are made until then; `Infinity` is until the annotation is taken away. */
  readonly pausedUntilMs: number | undefined;
  readonly byHand: Omit<ByHand, "resumes">;
  /** When the next of them is over; `Infinity` where none ends by itself. */
  readonly nextMs: number;
}

/** Pauses a policy, or one direction of it: `true`, or the time until which, in RFC 3339. */
const PAUSED = "sluice.dev/paused";
const PAUSED_UP = "sluice.dev/pause-scale-up";
const PAUSED_DOWN = "sluice.dev/pause-scale-down";
/** `true` scales again what was left to somebody else. */
const TAKE_BACK = "sluice.dev/take-back";
/** Numbers that hold until a time, as JSON. */
const OVERRIDE = "sluice.dev/override";
const OVERRIDE_SHAPE = `{"nodes":{"split":5},"until":"2026-03-01T12:00:00Z"}`;

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
/** As long as the largest policy needs, with 100 nodes. */
const OVERRIDE_CHARACTERS = 16_384;

/** Reads the annotations. Throws `PolicyInvalid` for one that cannot be understood: nothing is scaled on a guess. */
export function readByHand(
  { annotations }: Pick<PolicyObject, "annotations">,
  now: Date,
  policy: Pick<Policy, "nodes" | "target">,
): Asked {
  const nowMs = now.getTime();
  const ahead = (name: string) => {
    const untilMs = untilOf(name, annotations[name]);
    return untilMs !== undefined && untilMs > nowMs ? untilMs : undefined;
  };
  const [pausedUntilMs, up, down] = [ahead(PAUSED), ahead(PAUSED_UP), ahead(PAUSED_DOWN)];
  const { nodes, untilMs } = overrideOf(annotations[OVERRIDE], policy);
  const isOverridden = untilMs > nowMs;
  return {
    pausedUntilMs,
    byHand: {
      override: isOverridden ? nodes : new Map(),
      isUpPaused: up !== undefined,
      isDownPaused: down !== undefined,
      takesBack: switchOf(TAKE_BACK, annotations[TAKE_BACK]),
    },
    nextMs: Math.min(up ?? Infinity, down ?? Infinity, isOverridden ? untilMs : Infinity),
  };
}

function untilOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === "false") return undefined;
  if (text === "true") return Infinity;
  const ms = timeOf(text);
  if (ms !== undefined) return ms;
  throw misread(name, text, "Write true, false, or a time such as 2026-03-01T12:00:00Z.");
}

function timeOf(text: unknown): number | undefined {
  const ms = typeof text === "string" && RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

function switchOf(name: string, text = "false"): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw misread(name, text, "Write true or false.");
}

/** The numbers, and until when they hold; without the annotation there are none, and they are over. */
function overrideOf(text: string | undefined, policy: Pick<Policy, "nodes" | "target">) {
  if (text === undefined) return { nodes: new Map<string, number>(), untilMs: -Infinity };
  const { nodes, until, ...more } = fieldsOf(jsonOf(text));
  const untilMs = timeOf(until);
  const names = new Set(policy.nodes.map(({ name }) => name));
  // The nodes of a Flink job are known only when it has been asked; a name that is none of them moves nothing.
  const isNode = (name: string) => policy.target.kind === "flink" || names.has(name);
  const numbers = Object.entries(fieldsOf(nodes));
  const isRead =
    untilMs !== undefined &&
    Object.keys(more).length === 0 &&
    numbers.length > 0 &&
    numbers.every(([name, number]) => isNode(name) && Number.isSafeInteger(number) && Number(number) >= 0);
  if (isRead) return { nodes: new Map(numbers as [string, number][]), untilMs };
  const known = [...names].slice(0, 5).join(", ");
  throw misread(
    OVERRIDE,
    text,
    `Write a whole number for nodes of the policy (${known}) and a time: ${OVERRIDE_SHAPE}`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return text.length > OVERRIDE_CHARACTERS ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

const misread = (name: string, text: string, remedy: string) =>
  new Fault("PolicyInvalid", `${JSON.stringify(text.slice(0, 64))} says nothing that can be done`, {
    field: `metadata.annotations[${name}]`,
    remedy,
  });
