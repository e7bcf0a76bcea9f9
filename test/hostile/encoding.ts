import { HEAD, join, moduleOf, name, PLAN, RETURN_ZERO, running, section, times, u32 } from "./bytes.ts";
import { hostile, INVALID, refused, unusable, type Hostile } from "./hostile.ts";

const NO_ANSWER = unusable("it gave no answer");
const exported = (...entries: readonly Uint8Array[]) =>
  moduleOf({ exports: join(u32(entries.length + 1), PLAN, ...entries) });

/** Modules that no toolchain would write: valid by what the host adds, out of order, or counted wrongly. */
export const ENCODING: readonly Hostile[] = [
  hostile(
    "X40",
    "is valid only with the global that the host adds, which it sets",
    () => running([0x42, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x24, 0]),
    INVALID,
  ),
  hostile("X40", "exports the global that the host adds", () => exported(join(name("g"), [3, 0])), INVALID),
  hostile("X40", "calls a function that is not there", () => running([0x10, 1]), INVALID),
  hostile(
    "X40",
    "reads a local that the host adds",
    () => running([0x43, 0, 0, 0, 0, 0xbc, 0x1a, 0x20, 0, 0x1a]),
    INVALID,
  ),
  hostile(
    "X41",
    "exports a name of the host's",
    () =>
      moduleOf({
        globals: [1, 0x7e, 1, 0x42, 0, 0x0b],
        exports: join([2], PLAN, name("sluice:fuel"), [3, 0]),
      }),
    refused("exports sluice:fuel: that name is reserved"),
  ),
  hostile(
    "X41",
    "exports a start of the host's",
    () => exported(join(name("sluice:start"), [0, 0])),
    refused("that name is reserved"),
  ),
  hostile("X42", "exports a name twice", () => exported(PLAN), INVALID),
  hostile(
    "X42",
    "exports names that every object has",
    () =>
      exported(
        join(name("__proto__"), [0, 0]),
        join(name("constructor"), [0, 0]),
        join(name("then"), [0, 0]),
      ),
    NO_ANSWER,
  ),
  hostile(
    "X42",
    "exports a name that is no text",
    () => exported(new Uint8Array([2, 0xc3, 0x28, 0, 0])),
    refused("not UTF-8"),
  ),
  hostile(
    "X42",
    "exports a global that can be changed",
    () => moduleOf({ globals: [1, 0x7e, 1, 0x42, 0, 0x0b], exports: join([2], PLAN, name("g"), [3, 0]) }),
    NO_ANSWER,
  ),
  hostile(
    "X43",
    "has its sections in another order",
    () =>
      join(
        HEAD,
        section(3, [1, 0]),
        section(1, [1, 0x60, 0, 1, 0x7f]),
        section(7, join([1], PLAN)),
        section(10, join([1], RETURN_ZERO)),
      ),
    INVALID,
  ),
  hostile(
    "X43",
    "has a section twice",
    () => moduleOf({ before: section(1, [1, 0x60, 0, 1, 0x7f]) }),
    INVALID,
  ),
  hostile(
    "X43",
    "has its code twice",
    () => moduleOf({ after: section(10, join([1], RETURN_ZERO)) }),
    INVALID,
  ),
  hostile(
    "X43",
    "has a section that nobody knows",
    () => moduleOf({ after: section(42, [1]) }),
    refused("a section 42, which is not known"),
  ),
  hostile(
    "X43",
    "has a section that ends before its content",
    () => moduleOf({ exports: join([2], PLAN) }),
    refused("it ends too early"),
  ),
  hostile(
    "X43",
    "has a section with bytes left over",
    () => moduleOf({ exports: join([1], PLAN, [0, 0, 0]) }),
    INVALID,
  ),
  hostile(
    "X43",
    "has fewer bodies than functions",
    () => moduleOf({ functions: [2, 0, 0] }),
    refused("not as many bodies as functions"),
  ),
  hostile(
    "X43",
    "has functions and no code",
    () => join(HEAD, section(1, [1, 0x60, 0, 1, 0x7f]), section(3, [1, 0]), section(7, join([1], PLAN))),
    INVALID,
  ),
  hostile(
    "X43",
    "has a body longer than its section",
    () => moduleOf({ code: [1, 0x7f, 0, 0x41, 0, 0x0b] }),
    refused("it ends too early"),
  ),
  hostile("X43", "has a body without an end", () => moduleOf({ code: [1, 3, 0, 0x41, 0] }), INVALID),
  hostile("X43", "has code behind the end of a body", () => running([0x41, 0, 0x0b, 0x01]), INVALID),
  hostile(
    "X44",
    "writes its numbers longer than they have to be",
    () => moduleOf({ functions: [...u32(1, 5), ...u32(0, 5)], code: join(u32(1, 5), RETURN_ZERO) }),
    NO_ANSWER,
  ),
  hostile(
    "X44",
    "writes a number longer than it may be",
    () => moduleOf({ functions: [0x81, 0x80, 0x80, 0x80, 0x80, 0x00, 0] }),
    refused("longer than 32 bits"),
  ),
  hostile(
    "X44",
    "writes a number above 32 bits",
    () => moduleOf({ functions: [0x81, 0x80, 0x80, 0x80, 0x10, 0] }),
    refused("longer than 32 bits"),
  ),
  hostile(
    "X44",
    "writes a constant longer than it may be",
    () => running([0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x1a]),
    refused("longer than its type"),
  ),
  hostile(
    "X44",
    "counts four thousand million functions",
    () => moduleOf({ functions: [0xff, 0xff, 0xff, 0xff, 0x0f, 0] }),
    refused("4294967295 functions, more than 50000"),
  ),
  hostile(
    "X44",
    "counts four thousand million targets",
    () => running([0x41, 0, 0x0e, 0xff, 0xff, 0xff, 0xff, 0x0f]),
    refused("it ends too early"),
  ),
  hostile(
    "X44",
    "counts four thousand million elements",
    () => moduleOf({ table: [1, 0x70, 0, 1], elements: [1, 0, 0x41, 0, 0x0b, 0xff, 0xff, 0xff, 0xff, 0x0f] }),
    refused("it ends too early"),
  ),
  hostile(
    "X45",
    "has a function of a thousand parameters and results",
    () => {
      const thousand = times(1_000, [0x7f]);
      return moduleOf({
        types: join([3, 0x60, 0, 1, 0x7f, 0x60, 0, 0, 0x60], u32(1_000), thousand, u32(1_000), thousand),
      });
    },
    NO_ANSWER,
  ),
  hostile(
    "X45",
    "has a function of 1,001 results",
    () =>
      moduleOf({ types: join([3, 0x60, 0, 1, 0x7f, 0x60, 0, 0, 0x60, 0], u32(1_001), times(1_001, [0x7f])) }),
    INVALID,
  ),
  hostile(
    "X45",
    "has four million parameters in its types",
    () =>
      moduleOf({
        types: join(
          u32(2_002),
          [0x60, 0, 1, 0x7f, 0x60, 0, 0],
          times(2_000, join([0x60], u32(2_000), times(2_000, [0x7f]), [0])),
        ),
      }),
    INVALID,
  ),
  hostile(
    "X45",
    "has two million types",
    () => moduleOf({ types: join(u32(1_300_000), times(1_300_000, [0x60, 0, 0])) }),
    refused("1300000 types, more than"),
  ),
  hostile(
    "X46",
    "has forty thousand of element segments",
    () =>
      moduleOf({
        table: [1, 0x70, 0, 1],
        elements: join(u32(40_000), times(40_000, [0, 0x41, 0, 0x0b, 1, 0])),
      }),
    INVALID,
  ),
  hostile(
    "X46",
    "has two million passive element segments",
    () => moduleOf({ table: [1, 0x70, 0, 1], elements: join(u32(1_300_000), times(1_300_000, [1, 0, 0])) }),
    refused("1300000 element segments, more than"),
  ),
  hostile(
    "X47",
    "starts with a function that is not there",
    () =>
      join(
        HEAD,
        section(1, [1, 0x60, 0, 1, 0x7f]),
        section(3, [1, 0]),
        section(7, join([1], PLAN)),
        section(8, [7]),
        section(10, join([1], RETURN_ZERO)),
      ),
    INVALID,
  ),
];
