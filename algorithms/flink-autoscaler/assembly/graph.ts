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
    const order = sorted(topology);
    for (let i = 0; i < order.length; i++) this.add(vertexOf(nodes[order[i]]));
    for (let i = 0; i < topology.edges.length; i++) {
      const edge = topology.edges[i];
      if (this.has(edge.from) && this.has(edge.to))
        this.join(this.place(edge.from), this.place(edge.to), edge.shipStrategy);
    }
  }

  has(name: string): bool {
    return this.places.has(name);
  }

  place(name: string): i32 {
    return this.places.get(name);
  }

  private add(vertex: Vertex): void {
    this.places.set(vertex.name, this.vertices.length);
    this.vertices.push(vertex);
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
function sorted(topology: Topology): i32[] {
  const nodes = topology.nodes;
  const byName = new Map<string, i32>();
  for (let i = 0; i < nodes.length; i++) byName.set(nodes[i].name, i);
  const waits = new StaticArray<i32>(nodes.length);
  const edges = topology.edges;
  for (let i = 0; i < edges.length; i++)
    if (byName.has(edges[i].to) && byName.has(edges[i].from)) waits[byName.get(edges[i].to)]++;
  const order: i32[] = [];
  const done = new StaticArray<bool>(nodes.length);
  while (order.length < nodes.length) {
    let next = -1;
    for (let i = 0; i < nodes.length && next < 0; i++) if (!done[i] && waits[i] == 0) next = i;
    if (next < 0) for (let i = 0; i < nodes.length && next < 0; i++) if (!done[i]) next = i;
    done[next] = true;
    order.push(next);
    for (let i = 0; i < edges.length; i++)
      if (edges[i].from == nodes[next].name && byName.has(edges[i].to)) waits[byName.get(edges[i].to)]--;
  }
  return order;
}
