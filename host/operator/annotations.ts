import { Fault } from "../fault/index.ts";
import type { PolicyObject } from "./object.ts";

/** What somebody asked of a policy by hand, beside its spec. */
export interface ByHand {
  /** No decisions are made until then; `Infinity` is until the annotation is taken away. */
  readonly pausedUntilMs: number | undefined;
}

/** Pauses a policy: `true`, or the time until which, in RFC 3339. */
const PAUSED = "sluice.dev/paused";
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Reads the annotations. Throws `PolicyInvalid` for one that cannot be understood: nothing is scaled on a guess. */
export function readByHand({ annotations }: Pick<PolicyObject, "annotations">, now: Date): ByHand {
  const untilMs = untilOf(PAUSED, annotations[PAUSED]);
  return { pausedUntilMs: untilMs !== undefined && untilMs > now.getTime() ? untilMs : undefined };
}

function untilOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === "false") return undefined;
  if (text === "true") return Infinity;
  const ms = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new Fault("PolicyInvalid", `${JSON.stringify(text.slice(0, 64))} says nothing that can be done`, {
    field: `metadata.annotations[${name}]`,
    remedy: "Write true, false, or a time such as 2026-03-01T12:00:00Z.",
  });
}
