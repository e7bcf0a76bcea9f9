import { Node, Topology } from "@sluice/pdk";

/** How records reach a keyed vertex. */
export const HASH = "HASH";

/** One vertex of the job. */
export class Vertex {
  /** Places of the vertices that it reads from, and how their records come, entry by entry. */
  readonly inputs: i32[] = [];
  readonly strategies: string[] = [];
  readonly outputs: i32[] = [];

  constructor(
    readonly name: string,
    readonly parallelism: i32,
    readonly maxParallelism: i32,
    /** Partitions of what a source reads, or key groups that the driver knows; 0 if neither is known. */
    readonly partitions: i32,
    /** The least and the most that the policy's guardrails grant. */
    readonly min: i32,
    readonly max: i32,
    readonly slotGroup: string,
    readonly finished: bool,
  ) {}

  get isSource(): bool {
    return this.inputs.length == 0;
  }
}

/** The job as a graph whose vertices stand after everything that they read from. */
export class Graph {
  readonly vertices: Vertex[] = [];
  private places: Map<string, i32> = new Map();

  constructor(topology: Topology) {
    const nodes = topology.nodes;
    const edges = topology.edges;
    for (let i = 0; i < nodes.length; i++) this.places.set(nodes[i].name, i);
    const from: i32[] = [];
    const to: i32[] = [];
    const strategies: string[] = [];
    for (let i = 0; i < edges.length; i++) {
      if (!this.has(edges[i].from) || !this.has(edges[i].to)) continue;
      from.push(this.place(edges[i].from));
      to.push(this.place(edges[i].to));
      strategies.push(edges[i].shipStrategy);
    }
    const order = sorted(nodes.length, from, to);
    const place = new StaticArray<i32>(nodes.length);
    for (let i = 0; i < order.length; i++) {
      place[order[i]] = i;
      this.places.set(nodes[order[i]].name, i);
      this.vertices.push(vertexOf(nodes[order[i]]));
    }
    for (let i = 0; i < from.length; i++) this.join(place[from[i]], place[to[i]], strategies[i]);
  }

  has(name: string): bool {
    return this.places.has(name);
  }

  place(name: string): i32 {
    return this.places.get(name);
  }

  private join(from: i32, to: i32, strategy: string): void {
    const vertex = this.vertices[to];
    if (vertex.inputs.includes(from)) {
      vertex.strategies.push(strategy);
      return;
    }
    vertex.inputs.push(from);
    vertex.strategies.push(strategy);
    this.vertices[from].outputs.push(to);
  }
}

function vertexOf(node: Node): Vertex {
  return new Vertex(
    node.name,
    node.parallelism,
    node.ceiling,
    node.alignTo,
    node.min,
    node.max,
    node.slotGroup,
    node.attributes.text("status", "") == "FINISHED",
  );
}

/** Places of the nodes, each after its inputs, otherwise in their order; those on a loop come last, as they stand. */
function sorted(count: i32, from: i32[], to: i32[]): i32[] {
  const waits = new StaticArray<i32>(count);
  const outputs = new Array<i32[]>(count);
  for (let i = 0; i < count; i++) outputs[i] = [];
  for (let i = 0; i < from.length; i++) {
    waits[to[i]]++;
    outputs[from[i]].push(to[i]);
  }
  const order: i32[] = [];
  const done = new StaticArray<bool>(count);
  while (order.length < count) {
    let next = 0;
    while (next < count && (done[next] || waits[next] > 0)) next++;
    if (next == count) next = done.indexOf(false);
    done[next] = true;
    order.push(next);
    for (let i = 0; i < outputs[next].length; i++) waits[outputs[next][i]]--;
  }
  return order;
}
