import type { NodeMemory, Observation, Observations } from "../../knowledge/index.ts";
import type { Signal, Zero } from "../../policy/index.ts";

/** Whether a node may sleep, by the signals and by what was decided before. */
export interface Sleep {
  /** A signal says that the node is in use. */
  readonly isUsed: boolean;
  /** All evidence is there: quiet for the whole cooldown, and wanted idle twice in a row. */
  readonly mayIdle: boolean;
  /** What is to be remembered. */
  readonly memory: Pick<NodeMemory, "quietSinceMs" | "wantedIdle">;
}

/**
 * Whether a node may be taken to its idle parallelism. Two pieces of evidence are needed: every signal has data and has been
 * quiet for the whole cooldown, and this decision and the one before wanted no more. What is missing is no evidence.
 */
export function sleepOf(
  zero: Zero,
  sources: Observations,
  {
    node,
    wanted,
    memory,
    nowMs,
  }: { node: string; wanted: number | undefined; memory: NodeMemory; nowMs: number },
): Sleep {
  const levels = zero.signals.map((signal) => levelOf(signal, sources[signal.source], node));
  const isUsed = levels.includes("Used");
  const isQuiet = levels.length > 0 && levels.every((level) => level === "Quiet");
  const quietSinceMs = isQuiet ? (memory.quietSinceMs ?? nowMs) : undefined;
  const wantsIdle = wanted !== undefined && wanted <= zero.idle;
  const cooled = quietSinceMs !== undefined && nowMs - quietSinceMs >= zero.cooldownSeconds * 1_000;
  return {
    isUsed,
    mayIdle: zero.allowed && cooled && wantsIdle && memory.wantedIdle === true,
    memory: {
      ...(quietSinceMs === undefined ? {} : { quietSinceMs }),
      ...(wantsIdle ? { wantedIdle: true as const } : {}),
    },
  };
}

/** What a signal says of a node: samples that belong to it, or to no node. */
function levelOf(
  { above }: Signal,
  seen: Observation | undefined,
  node: string,
): "Used" | "Quiet" | "Unknown" {
  if (seen === undefined || !("series" in seen)) return "Unknown";
  const own = seen.series.filter((sample) => sample.node === undefined || sample.node === node);
  if (own.length === 0) return "Unknown";
  return own.reduce((sum, { value }) => sum + value, 0) > above ? "Used" : "Quiet";
}
