import type { Memory, Moment, NodeMemory, Verdict } from "../../knowledge/index.ts";
import type { Behavior } from "../../policy/index.ts";
import { since, telling } from "./moments.ts";

const HOUR_MS = 3_600_000;

/**
 * The memory with nothing in it from after now: where the machine's clock was set back, what lies ahead counts as just
 * said, so that every window is kept, and none lasts longer than it should.
 */
export function untilNow(memory: Memory, nowMs: number): Memory {
  const past = (atMs: number) => Math.min(atMs, nowMs);
  const pasts = (moments: readonly Moment[]) => moments.map(([atMs, value]) => [past(atMs), value] as const);
  const nodes = Object.entries(memory.nodes).map(
    ([name, { wants, scaled: changes, turned, quietSinceMs, ...rest }]) => [
      name,
      {
        ...rest,
        ...(wants && { wants: pasts(wants) }),
        ...(changes && { scaled: pasts(changes) }),
        ...(turned && { turned: turned.map(past) }),
        ...(quietSinceMs !== undefined && { quietSinceMs: past(quietSinceMs) }),
      },
    ],
  );
  const { failingSinceMs, lostAtMs, ...others } = memory;
  return {
    ...others,
    ...(failingSinceMs !== undefined && { failingSinceMs: past(failingSinceMs) }),
    ...(lostAtMs !== undefined && { lostAtMs: past(lostAtMs) }),
    nodes: Object.fromEntries(nodes) as Memory["nodes"],
  };
}

/** How far back the wants of a node have to be known, in seconds. */
export const windowSeconds = ({ up, down }: Behavior): number =>
  Math.max(up.windowSeconds, down.windowSeconds);

/** How far back what was scaled has to be known, in seconds. */
export const periodSeconds = ({ up, down }: Behavior): number =>
  Math.max(0, ...[...up.rates, ...down.rates].map((rate) => rate.periodSeconds));

/** The wants that a later pass has to know. */
export function rememberedWants(
  wants: readonly Moment[],
  behavior: Behavior | undefined,
  nowMs: number,
): Moment[] {
  return behavior === undefined ? [] : telling(since(wants, nowMs - windowSeconds(behavior) * 1_000));
}

/**
 * The memory after a decision was granted: what is about to be scaled counts from now on, so that no crash in between
 * gives the rates more room than they have. `notScaled` takes out what was not scaled after all.
 */
export function scaled(
  memory: Memory,
  verdicts: readonly Verdict[],
  behaviorOf: (node: string) => Behavior | undefined,
  nowMs: number,
): Memory {
  const nodes = { ...memory.nodes };
  for (const { node, current, granted } of verdicts) {
    if (granted === current) continue;
    const known = nodes[node] ?? {};
    const behavior = behaviorOf(node);
    const direction = granted > current ? 1 : -1;
    const turned = (known.turned ?? []).filter((atMs) => atMs > nowMs - HOUR_MS);
    const turns = known.direction !== undefined && known.direction !== direction;
    nodes[node] = {
      ...known,
      direction,
      ...(turns || turned.length > 0 ? { turned: turns ? [...turned, nowMs] : turned } : {}),
      ...(behavior === undefined
        ? {}
        : {
            scaled: since(
              [...(known.scaled ?? []), [nowMs, granted - current]],
              nowMs - periodSeconds(behavior) * 1_000,
            ),
          }),
    };
  }
  return { ...memory, nodes };
}

/** The memory where what was decided at a time was not carried out for these nodes: it takes no room of the rates. */
export function notScaled(memory: Memory, failed: readonly { readonly node: string }[], at: Date): Memory {
  const nodes = { ...memory.nodes };
  for (const { node } of failed) {
    const { scaled: changes = [], turned = [], direction, ...rest } = nodes[node] ?? {};
    const isOther = (atMs: number) => atMs !== at.getTime();
    const [scaledStill, turnedStill] = [changes.filter(([atMs]) => isOther(atMs)), turned.filter(isOther)];
    const hadTurned = turnedStill.length < turned.length;
    nodes[node] = {
      ...rest,
      ...(direction === undefined ? {} : { direction: hadTurned ? -direction : direction }),
      ...(turnedStill.length === 0 ? {} : { turned: turnedStill }),
      ...(scaledStill.length === 0 ? {} : { scaled: scaledStill }),
    };
  }
  return { ...memory, nodes };
}

/** Whether another turn now would be more than these an hour. */
export function turnsTooOften(
  known: NodeMemory,
  change: number,
  most: number | undefined,
  nowMs: number,
): boolean {
  if (
    most === undefined ||
    change === 0 ||
    known.direction === undefined ||
    Math.sign(change) === known.direction
  )
    return false;
  return (known.turned ?? []).filter((atMs) => atMs > nowMs - HOUR_MS).length >= most;
}
