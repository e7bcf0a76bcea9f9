import { Value } from "@sluice/pdk";
import { Graph, Vertex } from "./graph";
import { bytes } from "./units";

const MEBIBYTE: f64 = 1048576;
const ALIKE = "FORWARD";
const GROUPED = "RESCALE";

/** What a task manager's memory is tuned by: upstream's options, and Flink's own of its memory. */
export class Tuning {
  readonly enabled: bool;
  readonly overhead: f64;
  readonly maximizeManaged: bool;
  readonly compensates: bool;
  /** What tuning does not touch: off-heap of framework and tasks, and the JVM's overhead. */
  readonly fixed: f64;
  readonly managed: f64;
  readonly segment: f64;
  readonly perChannel: f64;
  readonly floating: f64;

  constructor(
    config: Value,
    /** Bytes of a whole task manager. */
    readonly total: f64,
  ) {
    this.enabled = config.flag("memory.tuning.enabled", false);
    this.overhead = config.number("memory.tuning.overhead", 0.2);
    this.maximizeManaged = config.flag("memory.tuning.maximize-managed-memory", false);
    this.compensates = config.flag("memory.tuning.scale-down-compensation.enabled", true);
    const memory = "taskmanager.memory.";
    const share = total * config.number(`${memory}jvm-overhead.fraction`, 0.1);
    const least = size(config, `${memory}jvm-overhead.min`, 192 * MEBIBYTE);
    const most = size(config, `${memory}jvm-overhead.max`, 1024 * MEBIBYTE);
    const jvm = Math.min(most, Math.max(least, share));
    const framework = size(config, `${memory}framework.off-heap.size`, 128 * MEBIBYTE);
    this.fixed = Math.floor(jvm) + framework + size(config, `${memory}task.off-heap.size`, 0);
    const flink = total - Math.floor(jvm) - size(config, `${memory}jvm-metaspace.size`, 256 * MEBIBYTE);
    const fraction = flink * config.number(`${memory}managed.fraction`, 0.4);
    this.managed = size(config, `${memory}managed.size`, Math.floor(fraction));
    this.segment = size(config, `${memory}segment-size`, 32768);
    this.perChannel = config.number("taskmanager.network.memory.buffers-per-channel", 2);
    this.floating = config.number("taskmanager.network.memory.floating-buffers-per-gate", 8);
  }
}

/** What the whole job uses, as the analysis has it: means of the window, in bytes. */
export class Used {
  constructor(
    readonly heap: f64,
    readonly metaspace: f64,
    readonly managed: f64,
  ) {}
}

/** What each part of a task manager should have, in bytes. */
export class Tuned {
  network: f64 = 0;
  metaspace: f64 = 0;
  heap: f64 = 0;
  managed: f64 = 0;
  total: f64 = 0;
}

/**
 * Gives each part what it used and a little more, one after the other, until nothing is left: network, metaspace, heap, managed.
 * `fewer` is how many times more there is for each task manager to do after a scale-down, at least 1.
 */
export function tune(graph: Graph, after: i32[], slots: i32, used: Used, fewer: f64, tuning: Tuning): Tuned {
  const tuned = new Tuned();
  const more = 1 + tuning.overhead;
  let left = tuning.total - tuning.fixed;
  tuned.network = taken(left, networkBuffers(graph, after, tuning) * tuning.segment * <f64>slots);
  left -= tuned.network;
  tuned.metaspace = taken(left, used.metaspace * more);
  left -= tuned.metaspace;
  tuned.heap = taken(left, used.heap * more * (tuning.compensates ? Math.max(1, fewer) : 1));
  left -= tuned.heap;
  if (used.managed > 0) tuned.managed = tuning.maximizeManaged ? left : taken(left, tuning.managed);
  tuned.total = tuning.fixed + tuned.network + tuned.metaspace + tuned.heap + tuned.managed;
  return tuned;
}

/** As much as there is, in whole bytes. */
function taken(left: f64, wanted: f64): f64 {
  return Math.max(0, Math.min(left, Math.floor(wanted)));
}

/** Buffers of one instance of every vertex together, for all that it reads and all that it writes. */
export function networkBuffers(graph: Graph, after: i32[], tuning: Tuning): f64 {
  let buffers: f64 = 0;
  for (let v = 0; v < graph.vertices.length; v++) {
    const vertex = graph.vertices[v];
    for (let i = 0; i < vertex.inputs.length; i++)
      buffers += gate(vertex.strategies[i], after[v], after[vertex.inputs[i]], tuning);
    for (let i = 0; i < vertex.outputs.length; i++) {
      const to = vertex.outputs[i];
      buffers += gate(strategyOf(graph.vertices[to], v), after[v], after[to], tuning);
    }
  }
  return buffers;
}

function strategyOf(vertex: Vertex, input: i32): string {
  return vertex.strategies[vertex.inputs.indexOf(input)];
}

/** One with alike instances has one channel, one with groups of them shares out the others, every other has all of them. */
function gate(strategy: string, mine: i32, others: i32, tuning: Tuning): f64 {
  const shared = strategy == ALIKE || strategy == GROUPED;
  if (strategy == ALIKE && mine == others) return tuning.perChannel + tuning.floating;
  const channels = shared ? Math.ceil(<f64>others / <f64>mine) : <f64>others;
  return channels * tuning.perChannel + tuning.floating;
}

function size(config: Value, name: string, preset: f64): f64 {
  return config.has(name) ? bytes(config.text(name), name) : preset;
}
