import type { Vertex } from "../../flink/index.ts";
import type { TaskManagers } from "../../policy/index.ts";

/**
 * Slots that a job needs for these numbers. Shared: vertices of one slot sharing group share slots, so the widest of each
 * group counts. PerNode: every instance of every vertex has one. Pure.
 */
export function slotsFor(
  vertices: readonly Pick<Vertex, "id" | "slotGroup">[],
  parallelism: ReadonlyMap<string, number>,
  slotMode: TaskManagers["slotMode"],
): number {
  const groups = new Map<string, number>();
  for (const { id, slotGroup = "" } of vertices) {
    const group = slotMode === "PerNode" ? id : slotGroup;
    groups.set(group, Math.max(groups.get(group) ?? 0, parallelism.get(id) ?? 0));
  }
  return [...groups.values()].reduce((all, slots) => all + slots, 0);
}

/** Pods that have so many slots. Pure. */
export const podsFor = (slots: number, { slotsPerPod }: Pick<TaskManagers, "slotsPerPod">): number =>
  Math.ceil(slots / slotsPerPod);
