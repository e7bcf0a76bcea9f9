import { fail } from "./failure";
import { NameIndex } from "./names";
import { Value } from "./value";

/** The application as a graph. */
export class Topology {
  readonly nodes: Node[];
  readonly edges: Edge[];
  private byName: NameIndex | null = null;

  constructor(readonly value: Value) {
    const nodes = value.list("nodes");
    const edges = value.list("edges");
    this.nodes = new Array<Node>(nodes.length);
    this.edges = new Array<Edge>(edges.length);
    for (let i = 0; i < nodes.length; i++) this.nodes[i] = new Node(nodes[i]);
    for (let i = 0; i < edges.length; i++) this.edges[i] = new Edge(edges[i]);
  }

  /** The node of that name. Fails if there is none. */
  node(name: string): Node {
    const at = this.index().first(name);
    if (at < 0) fail(`topology: there is no node "${name}"`);
    return this.nodes[at];
  }

  private index(): NameIndex {
    let index = this.byName;
    if (index === null) {
      index = new NameIndex(this.nodes.length);
      for (let i = this.nodes.length - 1; i >= 0; i--) index.put(this.nodes[i].name, i);
      this.byName = index;
    }
    return index;
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

  /** Processors that an instance requests; NaN where that is not told. */
  get cpu(): f64 {
    return amount(this.value, "cpu");
  }

  /** Bytes of memory that an instance requests; NaN where that is not told. */
  get memory(): f64 {
    return amount(this.value, "memory");
  }

  /** Slots of a TaskManager; 0 where that is not told. */
  get slots(): i32 {
    return this.value.object("resources").whole("slots", 0);
  }

  /** What else is known of it. */
  get attributes(): Value {
    return this.value.object("attributes");
  }
}

function amount(node: Value, name: string): f64 {
  const resources = node.object("resources");
  return resources.has(name) ? resources.number(name) : NaN;
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
