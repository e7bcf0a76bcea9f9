import { custom, HEAD, join, moduleOf, section, times, u32 } from "./bytes.ts";
import { hostile, refused, unusable, type Hostile } from "./hostile.ts";
import { answering } from "./wat.ts";

const good = answering({ plan: "{}" });
const ANSWER = { answer: "{}" };
const NO_ANSWER = unusable("it gave no answer");

/** Bytes that are no module, or one that no toolchain would write. */
export const FORMAT: readonly Hostile[] = [
  hostile("H53", "has no bytes", () => new Uint8Array(), refused("it is not WebAssembly")),
  hostile("H53", "has only its head", () => new Uint8Array(HEAD), refused("exports none of the functions")),
  hostile("H53", "is cut off at its end", () => good.slice(0, good.length - 9), refused("it ends too early")),
  hostile(
    "H53",
    "is cut off in the middle",
    () => good.slice(0, good.length >> 1),
    refused("it ends too early"),
  ),
  hostile(
    "H53",
    "is followed by something else",
    () => join(good, Buffer.from("PK\u0003\u0004junk")),
    refused(""),
  ),
  hostile(
    "H53",
    "has a custom section of 4 MB",
    () => join(good, custom("x", new Uint8Array(4_000_000))),
    ANSWER,
  ),
  hostile(
    "H53",
    "has a custom section between all others",
    () => moduleOf({ before: custom("a", [1, 2, 3]), after: custom("b", [4]) }),
    NO_ANSWER,
  ),
  hostile(
    "H53",
    "has more than a million custom sections",
    () => join(good, times(1_390_000, [0, 1, 0])),
    refused("sections"),
  ),
  hostile(
    "H53",
    "has a custom section whose name is no text",
    () => join(good, section(0, [2, 0xc3, 0x28])),
    refused("not UTF-8"),
  ),
  hostile(
    "H53",
    "has a name section with names of a megabyte",
    () =>
      join(good, custom("name", join([1], u32(1_000_005), [1, 0], u32(1_000_000), times(1_000_000, [0x61])))),
    ANSWER,
  ),
  hostile(
    "H53",
    "says what it is twice",
    () =>
      join(
        good,
        custom("sluice.algorithm", Buffer.from("{}")),
        custom("sluice.algorithm", Buffer.from("{}")),
      ),
    refused("more than one sluice.algorithm section"),
  ),
  hostile(
    "H53",
    "says of itself what is no JSON",
    () => join(good, custom("sluice.algorithm", Buffer.from("{"))),
    refused("section is not JSON"),
  ),
  hostile(
    "H53",
    "says of itself more than anybody reads",
    () => join(good, custom("sluice.algorithm", new Uint8Array(33_000))),
    refused("longer than 32768 bytes"),
  ),
  hostile(
    "H60",
    "says that it has steps that it has not",
    () =>
      join(
        good,
        custom(
          "sluice.algorithm",
          Buffer.from('{"api":"sluice/v1","name":"x","version":"1.0.0","steps":["monitor"]}'),
        ),
      ),
    refused("it says that it has the step monitor"),
  ),
  hostile(
    "H54",
    "is a component",
    () => new Uint8Array([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, 0, 0]),
    refused("it is a component: build a core module"),
  ),
  hostile(
    "H54",
    "is of a version that does not exist",
    () => new Uint8Array([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0]),
    refused("a version of WebAssembly that is not known"),
  ),
  hostile(
    "H54",
    "is a program for the machine",
    () => Buffer.from("\u007fELF\u0002\u0001\u0001\u0000aaaaaaaa", "latin1"),
    refused("it is not WebAssembly"),
  ),
  hostile(
    "H54",
    "is a page of HTML",
    () => Buffer.from("<!doctype html><title>404</title>"),
    refused("it is not WebAssembly"),
  ),
  hostile(
    "H54",
    "is a module in the text format",
    () => Buffer.from("(module)"),
    refused("it is not WebAssembly"),
  ),
];
