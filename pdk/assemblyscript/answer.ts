import { output } from "./extism";
import { fail } from "./failure";
import { NameIndex } from "./names";
import { append, figure, quote, spell } from "./text";
import { Value } from "./value";

/** So many names are looked through faster than an index of them is made. */
const FEW = 8;
const LARGEST: f64 = 2147483647;
/** More than any machine has. */
const MOST: f64 = 1e15;

/** Hands the answer of a step to the host; what an exported step returns. */
export function answer(what: Answer): i32 {
  output(what.json);
  return 0;
}

/** What a step can answer. */
export abstract class Answer {
  abstract get json(): string;
}

/** An object that is being written: what monitor and analyze answer, and what an algorithm remembers. */
export class Fields extends Answer {
  private names: string[] = [];
  /** Where each name stands, once there are more than can be looked through. */
  private byName: NameIndex | null = null;
  private room: i32 = 0;
  private parts: string[] = [];

  number(name: string, x: f64): Fields {
    if (!isFinite(x)) fail(`${name}: ${spell(x)} is no number that JSON has`);
    return this.raw(name, Math.floor(x) == x && Math.abs(x) < 1e15 ? figure(x) : spell(x));
  }

  text(name: string, text: string): Fields {
    return this.raw(name, quote(text));
  }

  flag(name: string, flag: bool): Fields {
    return this.raw(name, flag ? "true" : "false");
  }

  object(name: string, fields: Fields): Fields {
    return this.raw(name, fields.json);
  }

  list(name: string, entries: Fields[]): Fields {
    const parts = new Array<string>(entries.length);
    for (let i = 0; i < entries.length; i++) parts[i] = entries[i].json;
    return this.raw(name, `[${parts.join(",")}]`);
  }

  /** A piece of the input, spelled as it was. */
  copy(name: string, value: Value): Fields {
    return this.raw(name, value.json);
  }

  /** JSON that is already text. The last of two with the same name counts. */
  raw(name: string, json: string): Fields {
    const known = this.find(name);
    if (known >= 0) this.parts[known] = json;
    else {
      const index = this.byName;
      if (index !== null) index.put(name, this.names.length);
      this.names.push(name);
      this.parts.push(json);
    }
    return this;
  }

  private find(name: string): i32 {
    const count = this.names.length;
    if (count < FEW) return this.names.indexOf(name);
    let index = this.byName;
    if (index === null || count >= this.room) {
      this.room = 4 * count;
      index = new NameIndex(this.room);
      for (let i = 0; i < count; i++) index.put(this.names[i], i);
      this.byName = index;
    }
    return index.first(name);
  }

  get json(): string {
    // Written at once: memory is never freed within a step, and a text that grows bit by bit would fill it with its past.
    const count = this.names.length;
    if (count == 0) return "{}";
    const quoted = new StaticArray<string>(count);
    let length = 1 + 2 * count;
    for (let i = 0; i < count; i++) {
      quoted[i] = quote(this.names[i]);
      length += quoted[i].length + this.parts[i].length;
    }
    const json = __new(length << 1, idof<string>());
    let to = json;
    for (let i = 0; i < count; i++) {
      to = append(append(append(append(to, i == 0 ? "{" : ","), quoted[i]), ":"), this.parts[i]);
    }
    append(to, "}");
    return changetype<string>(json);
  }
}

/** What each instance of a node is to have; what is not said of it stays as it is. */
export class Shape {
  readonly fields: Fields = new Fields();

  /** Processors, such as 0.5. */
  cpu(processors: f64): Shape {
    return this.put("cpu", processors, figure(Math.ceil(processors * 1000)) + "m");
  }

  /** Bytes of memory. */
  memory(bytes: f64): Shape {
    return this.put("memory", bytes, figure(Math.ceil(bytes)));
  }

  /** Slots of a TaskManager. */
  slots(slots: i32): Shape {
    this.fields.number("slots", slots);
    return this;
  }

  private put(name: string, x: f64, quantity: string): Shape {
    if (!(x > 0 && x < MOST)) fail(`${name}: ${spell(x)} is no amount`);
    this.fields.text(name, quantity);
    return this;
  }
}

/** What is wanted: the answer of the plan step. A node that is not in it stays as it is. */
export class Plan extends Answer {
  private nodes: Fields = new Fields();
  private rest: Fields = new Fields();

  /** Wants a whole number of instances of a node. It is an f64 so that a NaN fails here; as an i32 it would have become 0. */
  want(node: string, parallelism: f64, reason: string = "", shape: Shape | null = null): void {
    if (Math.floor(parallelism) != parallelism)
      fail(`${node}: ${spell(parallelism)} is not whole: round it, or use demand`);
    this.set(node, "parallelism", parallelism, reason, shape);
  }

  /** Wants so much of a node, not rounded: the host rounds it up. */
  demand(node: string, demand: f64, reason: string = "", shape: Shape | null = null): void {
    this.set(node, "demand", demand, reason, shape);
  }

  /** Asks for the next pass in so many seconds, if that is sooner than the policy's interval. */
  recheckAfter(seconds: f64): void {
    this.rest.number("recheckAfter", seconds);
  }

  /** What the next pass is given as `step.carry`. */
  remember(carry: Fields): void {
    this.rest.object("carry", carry);
  }

  get json(): string {
    return this.rest.object("nodes", this.nodes).json;
  }

  private set(node: string, how: string, x: f64, reason: string, shape: Shape | null): void {
    if (!(x >= 0 && x <= LARGEST)) fail(`${node}: ${spell(x)} is no parallelism`);
    const wanted = new Fields().number(how, x);
    if (shape !== null) wanted.object("resources", shape.fields);
    if (reason.length > 0) wanted.text("reason", reason);
    this.nodes.object(node, wanted);
  }
}
