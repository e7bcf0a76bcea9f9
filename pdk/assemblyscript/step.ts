import { input } from "./extism";
import { fail } from "./failure";
import { Observation } from "./observation";
import { Topology } from "./topology";
import { parse, Value } from "./value";

/** What the step is called with. Everything that an algorithm can know is in here. */
export function read(): Step {
  return new Step(parse(input()));
}

/** The input of a step. */
export class Step {
  private graph: Topology | null = null;

  constructor(
    /** The whole input, for what has no name of its own here. */
    readonly value: Value,
  ) {}

  /** `monitor`, `analyze` or `plan`. */
  get name(): string {
    return this.value.text("step");
  }

  /** When the pass began, RFC 3339. It is the only clock, and it stands still. */
  get time(): string {
    return this.value.object("iteration").text("time");
  }

  /** The application as it is now. */
  get topology(): Topology {
    let graph = this.graph;
    if (graph === null) {
      graph = new Topology(this.value.object("topology"));
      this.graph = graph;
    }
    return graph;
  }

  /** What the policy configures. */
  get config(): Value {
    return this.value.object("config");
  }

  /** What a source said. Fails if the policy has no source of that name. */
  source(name: string): Observation {
    return observed(this.value.object("sources"), name);
  }

  /** What the monitor step of this pass answered; without fields if there is none. */
  get monitor(): Value {
    return this.value.object("monitor");
  }

  /** What the analyze step of this pass answered; without fields if there is none. */
  get analyze(): Value {
    return this.value.object("analyze");
  }

  /** What the last successful pass asked to remember; without fields before the first. */
  get carry(): Value {
    return this.value.object("carry");
  }

  /** Earlier passes, newest first; none unless the policy asks for history. */
  get history(): Past[] {
    const entries = this.value.list("history");
    const past = new Array<Past>(entries.length);
    for (let i = 0; i < entries.length; i++) past[i] = new Past(entries[i]);
    return past;
  }
}

/** An earlier pass. */
export class Past {
  constructor(readonly value: Value) {}

  /** When it began, RFC 3339. */
  get time(): string {
    return this.value.text("at");
  }

  /** Whether the node was there. */
  has(node: string): bool {
    return this.value.object("nodes").has(node);
  }

  /** What the node had when the pass began. */
  parallelism(node: string): i32 {
    return this.node(node).whole("parallelism");
  }

  /** What the guardrails granted the node. */
  granted(node: string): i32 {
    return this.node(node).whole("granted");
  }

  /** What a source said then. */
  source(name: string): Observation {
    return observed(this.value.object("sources"), name);
  }

  private node(name: string): Value {
    return this.value.object("nodes").object(name);
  }
}

function observed(sources: Value, name: string): Observation {
  if (!sources.has(name))
    fail(`${sources.path}.${name}: is missing: the policy has no source "${name}" under spec.sources`);
  return new Observation(name, sources.object(name));
}
