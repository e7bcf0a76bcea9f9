import type { Decoded, FunctionType } from "./module.ts";
import { cut, refuse } from "./refusal.ts";

/** A function that modules may import. */
export interface Offer {
  /** Its parameters and results, such as `i64 i32 -> i64`. */
  readonly signature: string;
  /** Fuel of one call; what it costs for every byte it charges when it runs. */
  readonly fuel: number;
}
/** By the name of a module, and the function's own. */
export type Offers = Readonly<Record<string, Readonly<Record<string, Offer>>>>;

/** Checks that every import is offered under the very type that it is imported under; returns the fuel of each. */
export function checkImports({ imports, types }: Decoded, offers: Offers): number[] {
  return imports.map(({ module, name, type }) => {
    const functions = Object.hasOwn(offers, module) ? offers[module] : undefined;
    const offer = functions !== undefined && Object.hasOwn(functions, name) ? functions[name] : undefined;
    const what = cut(`${module}.${name}`);
    if (offer === undefined) return refuse(`it imports ${what}, which is not offered`);
    const signature = signatureOf(types[type]);
    if (signature !== offer.signature)
      return refuse(`it imports ${what} as ${cut(signature)}, and it is ${offer.signature}`);
    return offer.fuel;
  });
}

/** The steps that a module exports. Refuses a step of another type than `() -> i32`, and a module without one. */
export function checkSteps<Step extends string>(decoded: Decoded, steps: readonly Step[]): Step[] {
  const found = steps.filter((step) => decoded.exports.some(({ name }) => name === step));
  for (const one of decoded.exports) {
    if (!(found as readonly string[]).includes(one.name)) continue;
    const signature = one.kind === FUNCTION ? signatureOf(typeOf(decoded, one.index)) : "no function";
    if (signature !== "-> i32" && signature !== "->")
      refuse(`it exports ${one.name} as ${cut(signature)}, and a step is -> i32`);
  }
  if (found.length === 0) refuse(`it exports none of the functions ${steps.join(", ")}`);
  return found;
}

const FUNCTION = 0;

function typeOf({ imports, functions, types }: Decoded, index: number): FunctionType | undefined {
  const type = imports[index]?.type ?? functions[index - imports.length];
  return type === undefined ? undefined : types[type];
}

const TYPE_NAMES: Readonly<Record<number, string>> = {
  0x7f: "i32",
  0x7e: "i64",
  0x7d: "f32",
  0x7c: "f64",
  0x7b: "v128",
  0x70: "funcref",
  0x6f: "externref",
};

function signatureOf(type: FunctionType | undefined): string {
  if (type === undefined) return refuse("it names a type that it does not have");
  const named = (types: readonly number[]) => types.map((one) => TYPE_NAMES[one]);
  return [...named(type.parameters), "->", ...named(type.results)].join(" ");
}
