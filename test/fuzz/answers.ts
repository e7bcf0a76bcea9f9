import { LIMITS } from "../../host/tenant/index.ts";
import type { Random } from "./random.ts";

// The grammar of hostile answers: what a plan looks like, and at every place of it, now and then, something else.

/** Numbers as they may be spelled, most of them by nobody who means well. */
export const NUMBERS: readonly string[] =
  `0 -0 0.0 1 1.0 2 3 7 16 17 31 32 33 1000 2147483647 2147483648 -2147483649 4294967295 4294967296 9007199254740991
   9007199254740993 18446744073709551616 1e2 1E+1 1e-1 1.5e1 2.5 0.1 0.999999999999999999 1e-400 1e308 1e309 1e400 -1e400
   -1 -0.5 -2.5 NaN Infinity -Infinity +1 01 1. .5 0x10 1_000 1n 1e ${"9".repeat(400)} 0.${"0".repeat(400)}1`.split(
    /\s+/,
  );
/** Amounts of what an instance may have, from none to more than there is. */
const QUANTITIES: readonly string[] =
  `500m 1 1.05 2 100m 8 9 0.1 1e-3 1m 0 -1 2Gi 1Gi 1.02Gi 256Mi 255Mi 4Gi 4097Mi 1e9 1e15 1e16 9999Ti 1E 1i .5 5.`.split(
    /\s+/,
  );
/** Names by which one reaches a prototype, or thinks so. */
export const PROTOTYPE_NAMES: readonly string[] =
  `__proto__ constructor prototype toString valueOf hasOwnProperty isPrototypeOf __defineGetter__ __lookupSetter__ toJSON
   then length`.split(/\s+/);
/** Names that a topology of these tests has, besides those that it has not. */
const STRANGE_NAMES = [
  "",
  "0",
  "-1",
  " split",
  "split\\u0000",
  "SPLIT",
  "\\ud800",
  "\\uDC00\\uD800",
  "🚰",
  "spl\\u0131t",
];
const TEXTS: readonly string[] = [
  '""',
  '"420/s"',
  '"\\ud83d"',
  '"\\udc00 alone"',
  '"\\u0000\\u001b[2J"',
  '"line\\nline"',
  '"raw\ttab"',
  '"\u2028"',
  '"\\x"',
  '"\\u12"',
  '"no end',
  `"${"long ".repeat(80)}"`,
  `"${"\\ud800".repeat(300)}"`,
  `"${"💧".repeat(260)}"`,
  "\"spec.nodes: is wrong. #1 'quoted'\"",
];
const MEMBERS = ["nodes", "recheckAfter", "carry"] as const;

/** One answer of a plugin: most resemble a plan, none has to be one. */
export function answer(random: Random, names: readonly string[]): Uint8Array {
  const text = new Grammar(random, names).document();
  // A lone surrogate cannot be written as UTF-8; here it is written all the same, as three bytes that are none.
  const bytes = Buffer.from(text, "utf8");
  return random.once(12) ? damaged(random, bytes) : bytes;
}

const INVALID_UTF8 = [
  [0xff],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xe2, 0x82],
  [0x80],
  [0xef, 0xbb, 0xbf],
];

function damaged(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length + 1);
  const put = (inserted: readonly number[]) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.from(inserted), bytes.subarray(at)]);
  switch (random.below(5)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return put(random.pick(INVALID_UTF8));
    case 2:
      return Buffer.from(bytes.toString("utf8"), "utf16le");
    case 3:
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]);
    default:
      return put([random.below(256)]);
  }
}

class Grammar {
  readonly #random: Random;
  readonly #names: readonly string[];

  constructor(random: Random, names: readonly string[]) {
    this.#random = random;
    this.#names = names;
  }

  document(): string {
    const random = this.#random;
    if (random.once(6_000)) return this.#large();
    if (random.once(30)) return this.#value(3);
    if (random.once(40)) return this.#deep(random.pick([2, 30, 31, 32, 33, 34, 100, 5_000]));
    if (random.once(60))
      return random.pick(["", " ", "\u0000", "undefined", "{", "}", "{}{}", "[{}]", '{"nodes":{}},']);
    const plan = this.#plan();
    return random.once(25)
      ? random.pick([` ${plan}\n`, `${plan} x`, `${plan},`, `/* */${plan}`, `\uFEFF${plan}`])
      : plan;
  }

  #plan(): string {
    const random = this.#random;
    const members = random.once(20) ? [] : [this.#member("nodes")];
    for (const name of MEMBERS.slice(1)) if (random.once(4)) members.push(this.#member(name));
    if (random.once(12)) members.push(this.#member(random.pick(["nodes", "carry", "recheckAfter"])));
    if (random.once(15)) members.push(`${this.#key(this.#anyName())}:${this.#value(2)}`);
    if (random.once(5)) members.reverse();
    return this.#braces(members);
  }

  #member(name: (typeof MEMBERS)[number]): string {
    const value = {
      nodes: () => this.#nodes(),
      recheckAfter: () => this.#number(),
      carry: () => this.#carry(),
    }[name];
    return `${this.#key(name)}:${this.#random.once(25) ? this.#value(2) : value()}`;
  }

  #nodes(): string {
    const random = this.#random;
    const count = random.once(10) ? random.below(70) : random.below(this.#names.length + 2);
    return this.#braces(
      Array.from({ length: count }, () => `${this.#key(this.#nodeName())}:${this.#wanted()}`),
    );
  }

  #nodeName(): string {
    return this.#random.once(25) ? this.#anyName() : this.#random.pick(this.#names);
  }

  #wanted(): string {
    const random = this.#random;
    if (random.once(30)) return this.#value(2);
    const members = [`${this.#key(random.once(3) ? "demand" : "parallelism")}:${this.#number()}`];
    if (random.once(25))
      members.push(`${this.#key(random.once(2) ? "demand" : "parallelism")}:${this.#number()}`);
    if (random.once(6))
      members.push(`${this.#key("reason")}:${random.once(12) ? this.#value(1) : this.#text()}`);
    if (random.once(15)) members.push(`"resources":{"cpu":${this.#quantity()},"memory":${this.#quantity()}}`);
    if (random.once(40)) members.push(`${this.#key(this.#anyName())}:${this.#value(1)}`);
    return this.#braces(members);
  }

  #quantity(): string {
    return this.#random.once(4) ? this.#text() : `"${this.#random.pick(QUANTITIES)}"`;
  }

  #carry(): string {
    const random = this.#random;
    if (random.once(200)) return `"${"c".repeat(LIMITS.carryBytes - 4 + random.below(6))}"`;
    return random.once(2) ? this.#value(3) : `{"rate":${this.#number()},"since":${this.#text()}}`;
  }

  #value(depth: number): string {
    const random = this.#random;
    if (depth > 0 && random.once(2)) {
      const values = Array.from({ length: random.below(4) }, () => this.#value(depth - 1));
      return random.once(2)
        ? `[${values.join(",")}]`
        : this.#braces(values.map((value) => `${this.#key(this.#anyName())}:${value}`));
    }
    return random.once(2)
      ? this.#number()
      : random.pick(["null", "true", "false", this.#text(), "undefined", "nul"]);
  }

  #number(): string {
    const random = this.#random;
    if (!random.once(6)) return String(random.below(40));
    return random.once(3) ? (random.word() / 2 ** random.below(40) / 4).toString() : random.pick(NUMBERS);
  }

  #text(): string {
    return this.#random.pick(TEXTS);
  }

  #anyName(): string {
    const random = this.#random;
    return random.pick(
      random.once(2) ? PROTOTYPE_NAMES : [...STRANGE_NAMES, ...this.#names, "nodes", "x".repeat(300)],
    );
  }

  /** A key, now and then spelled so that a filter of texts would not know it. */
  #key(name: string): string {
    const random = this.#random;
    if (name === "" || name.startsWith("\\") || !random.once(40))
      return random.once(400) ? `'${name}'` : `"${name}"`;
    const escaped = `\\u${name.charCodeAt(0).toString(16).padStart(4, "0")}`;
    return `"${escaped}${name.slice(1)}"`;
  }

  #braces(members: readonly string[]): string {
    const random = this.#random;
    const [first = ""] = members;
    const all = random.once(20) && first !== "" ? [...members, first] : members;
    return `{${all.join(random.once(100) ? random.pick([",,", ";", " ", ", "]) : ",")}${random.once(200) ? "," : ""}}`;
  }

  #deep(levels: number): string {
    const random = this.#random;
    const [open, close] = random.pick([
      ["[", "]"],
      ['{"a":', "}"],
    ] as const);
    const nest = `${open.repeat(levels)}${random.once(2) ? "1" : `"${"[".repeat(50)}"`}${random.once(4) ? "" : close.repeat(levels)}`;
    const at = random.pick(["carry", "nodes", "else"]);
    return random.once(5) ? nest : `{"nodes":{},"${at}":${nest}}`;
  }

  /** Ten thousand nodes, or about as many bytes as there may be. */
  #large(): string {
    const random = this.#random;
    if (random.once(2)) {
      const names = Array.from(
        { length: 10_000 },
        (_, at) => `"${random.once(3) ? this.#names[0] : `n${at}`}":{"demand":1}`,
      );
      return `{"nodes":{${names.join(",")}}}`;
    }
    const around = '{"nodes":{},"carry":""}'.length;
    const fill = LIMITS.outputBytes - around + random.below(5) - 2;
    return random.once(2)
      ? `{"nodes":{},"carry":"${"x".repeat(fill)}"}`
      : `{"nodes":{}${" ".repeat(LIMITS.outputBytes - 12 + random.below(5) - 2)}}`;
  }
}
