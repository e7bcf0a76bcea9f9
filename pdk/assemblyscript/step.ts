import { input } from "./extism";
import { fail } from "./failure";
import { Observation } from "./observation";
import { Topology } from "./topology";
import { seconds } from "./text";
import { parse, Value } from "./value";

/** What the step is called with. Everything that an algorithm can know is in here. */
export function read(): Step {
  return new Step(parse(input()));
}

/** The input of a step. */
export class Step {
  private graph: Topology | null = null;
  private passes: Past[] | null = null;
  private heard: Map<string, Observation> = new Map<string, Observation>();

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
    return observed(this.value.object("sources"), name, this.heard);
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
    let past = this.passes;
    if (past !== null) return past;
    const entries = this.value.list("history");
    past = new Array<Past>(entries.length);
    for (let i = 0; i < entries.length; i++) past[i] = new Past(entries[i]);
    this.passes = past;
    return past;
  }
}

/** An earlier pass. */
export class Past {
  private heard: Map<string, Observation> = new Map<string, Observation>();
  private began: f64 = NaN;

  constructor(readonly value: Value) {}

  /** When it began, RFC 3339. */
  get time(): string {
    return this.value.text("at");
  }

  /** When it began, seconds since 1970. */
  get seconds(): f64 {
    if (isNaN(this.began)) this.began = seconds(this.time);
    return this.began;
  }

  /** Whether the policy had a source of that name then. */
  hasSource(name: string): bool {
    return this.heard.has(name) || this.value.object("sources").has(name);
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
    return observed(this.value.object("sources"), name, this.heard);
  }

  private node(name: string): Value {
    return this.value.object("nodes").object(name);
  }
}

/** What was read of a source once is not read again: for each of a hundred nodes that would be a hundred times. */
function observed(sources: Value, name: string, heard: Map<string, Observation>): Observation {
  if (heard.has(name)) return heard.get(name);
  if (!sources.has(name))
    fail(`${sources.path}.${name}: is missing: the policy has no source "${name}" under spec.sources`);
  const said = new Observation(name, sources.object(name));
  heard.set(name, said);
  return said;
}
