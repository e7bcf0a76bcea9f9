import { figure } from "@sluice/pdk";
import { Graph } from "./graph";
import { Options } from "./options";

/**
 * Slots after a rescale: if the slots in use are those of the vertex with the most instances, all vertices share them and the
 * most counts; otherwise every vertex has its own, and the sum does.
 */
export function slotsAfter(before: i32[], after: i32[], used: i32): i32 {
  let most = 0;
  let mostAfter = 0;
  let sum = 0;
  for (let i = 0; i < before.length; i++) {
    most = max(most, before[i]);
    mostAfter = max(mostAfter, after[i]);
    sum += after[i];
  }
  return most == used ? mostAfter : sum;
}

/**
 * Why a rescale would need more than the quota allows; empty if it would not. `compat` counts as upstream does: only vertices
 * that change, and only task managers that are full.
 */
export function beyondQuota(graph: Graph, after: i32[], options: Options): string {
  if (isNaN(options.quotaCpu) && isNaN(options.quotaMemory)) return "";
  const managersNow = counted(slotsOf(graph, after, false, options), options);
  const managers = counted(slotsOf(graph, after, true, options), options);
  if (managers <= managersNow) return "";
  const cpu = options.taskManagerCpu * managers;
  if (cpu > options.quotaCpu) return `${figure(managers)} task managers need ${figure(cpu)} CPU of ${figure(options.quotaCpu)}`;
  const memory = options.taskManagerMemory * managers;
  if (memory > options.quotaMemory)
    return `${figure(managers)} task managers need ${figure(memory)} bytes of ${figure(options.quotaMemory)}`;
  return "";
}

/** Task managers with so many slots together, the last of them perhaps not full. */
export function managersFor(slots: i32, options: Options): f64 {
  return Math.ceil(<f64>slots / <f64>options.slotsPerTaskManager);
}

function counted(slots: i32, options: Options): f64 {
  return options.compat ? <f64>(slots / options.slotsPerTaskManager) : managersFor(slots, options);
}

/** Slots of all groups: each has as many as the vertex with the most instances in it. */
function slotsOf(graph: Graph, after: i32[], then: bool, options: Options): i32 {
  const most = new Map<string, i32>();
  for (let v = 0; v < graph.vertices.length; v++) {
    const vertex = graph.vertices[v];
    if (options.compat && (vertex.slotGroup == "" || after[v] == vertex.parallelism)) continue;
    const group = vertex.slotGroup == "" ? vertex.name : vertex.slotGroup;
    const slots = then ? after[v] : vertex.parallelism;
    most.set(group, max(slots, most.has(group) ? most.get(group) : 0));
  }
  let sum = 0;
  const groups = most.values();
  for (let i = 0; i < groups.length; i++) sum += groups[i];
  return sum;
}
