import { fail } from "./failure";
import { Value } from "./value";

/** The application as a graph. */
export class Topology {
  readonly nodes: Node[] = [];
  readonly edges: Edge[] = [];

  constructor(readonly value: Value) {
    const nodes = value.list("nodes");
    for (let i = 0; i < nodes.length; i++) this.nodes.push(new Node(nodes[i]));
    const edges = value.list("edges");
    for (let i = 0; i < edges.length; i++) this.edges.push(new Edge(edges[i]));
  }

  /** The node of that name. Fails if there is none. */
  node(name: string): Node {
    for (let i = 0; i < this.nodes.length; i++) if (this.nodes[i].name == name) return this.nodes[i];
    fail(`topology: there is no node "${name}"`);
    return this.nodes[0];
  }
}

/** One operator of the application. */
export class Node {
  readonly name: string;

  constructor(readonly value: Value) {
    this.name = value.text("name");
  }

  /** What stands behind it, such as `Deployment`. */
  get kind(): string {
    return this.value.text("kind");
  }

  /** What is asked of the application now. */
  get parallelism(): i32 {
    return this.value.whole("parallelism");
  }

  /** How much of it serves. */
  get ready(): i32 {
    return this.value.whole("ready");
  }

  /** The least that the guardrails grant. */
  get min(): i32 {
    return this.value.whole("min");
  }

  /** The most that the guardrails grant. */
  get max(): i32 {
    return this.value.whole("max");
  }

  /** More than this cannot work in parallel; without such a limit, the largest i32. */
  get ceiling(): i32 {
    return this.value.whole("ceiling", i32.MAX_VALUE);
  }

  /** Parallelism should divide this; 0 if any will do. */
  get alignTo(): i32 {
    return this.value.whole("alignTo", 0);
  }

  /** The group of nodes that it shares slots with; empty if it shares with nobody. */
  get slotGroup(): string {
    return this.value.text("slotGroup", "");
  }

  /** What else is known of it. */
  get attributes(): Value {
    return this.value.object("attributes");
  }
}

/** Records flow from one node to another. */
export class Edge {
  readonly from: string;
  readonly to: string;

  constructor(readonly value: Value) {
    this.from = value.text("from");
    this.to = value.text("to");
  }

  /** How records are spread over the receiving instances; empty if that is not known. */
  get shipStrategy(): string {
    return this.value.text("shipStrategy", "");
  }
}
