import { fail } from "./failure";
import { NameIndex } from "./names";
import { Value } from "./value";

/**
 * What a source said. Values, no data and an error are three things: a number can only be read where there is one, and
 * reading it where there is none fails the step, which changes nothing.
 */
export class Observation {
  /** The values; none if there is no data, or an error. */
  readonly samples: Sample[];
  private byNode: NameIndex | null = null;

  constructor(
    /** The source's name. */
    readonly name: string,
    readonly value: Value,
  ) {
    const series = value.list("series");
    this.samples = new Array<Sample>(series.length);
    for (let i = 0; i < series.length; i++) this.samples[i] = new Sample(series[i]);
  }

  /** Why the source could not be read; empty if it could. */
  get error(): string {
    return this.value.object("error").text("message", "");
  }

  /** Whether there is a value for the node. */
  has(node: string): bool {
    return this.index().first(node) >= 0;
  }

  /** How many values there are for the node. */
  count(node: string): i32 {
    const index = this.index();
    let count = 0;
    for (let at = index.first(node); at >= 0; at = index.after(at)) count++;
    return count;
  }

  /** All values of the node together. Fails if there is none: ask `has` first. */
  sum(node: string): f64 {
    const index = this.index();
    let at = index.first(node);
    if (at < 0) fail(`${this.name} has no value for ${node}${this.why()}: ask has("${node}") first`);
    let sum: f64 = 0;
    for (; at >= 0; at = index.after(at)) sum += this.samples[at].number;
    return sum;
  }

  /** The samples of the node, in their order; of no node where it is empty. */
  of(node: string): Sample[] {
    const index = this.index();
    const own: Sample[] = [];
    for (let at = index.first(node); at >= 0; at = index.after(at)) own.push(this.samples[at]);
    return own;
  }

  /** All values together, whatever they belong to. Fails if there is none: look at `samples` first. */
  total(): f64 {
    if (this.samples.length == 0) fail(`${this.name} has no value${this.why()}`);
    let total: f64 = 0;
    for (let i = 0; i < this.samples.length; i++) total += this.samples[i].number;
    return total;
  }

  /** The partitions behind the values, where the source reads Kafka. */
  get partitions(): Value[] {
    return this.value.list("partitions");
  }

  private index(): NameIndex {
    let index = this.byNode;
    if (index === null) {
      index = new NameIndex(this.samples.length);
      for (let i = this.samples.length - 1; i >= 0; i--) index.put(this.samples[i].node, i);
      this.byNode = index;
    }
    return index;
  }

  private why(): string {
    const error = this.error;
    return error.length == 0 ? "" : ` (${error})`;
  }
}

/** One number of a source. */
export class Sample {
  /** Name of the node that it belongs to; empty where the source does not tell. */
  readonly node: string;

  constructor(readonly value: Value) {
    this.node = value.text("node", "");
  }

  /** The number, always finite. */
  get number(): f64 {
    return this.value.number("value");
  }

  /** When it was measured, RFC 3339. */
  get time(): string {
    return this.value.text("at");
  }

  /** A label of it; empty if it has none of that name. */
  label(name: string): string {
    return this.value.object("labels").text(name, "");
  }
}
