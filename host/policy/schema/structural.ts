import { CHECKS, FREE_FORM, LIST_KEYS, LIST_TYPE, NOT_YET, RULES } from "./field.ts";
import type { Check, Rule } from "./field.ts";

/** A schema as the API server takes it: structural, every field described, every list and string limited. */
export interface Structural {
  readonly type: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly description: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Structural;
  readonly properties?: Readonly<Record<string, Structural>>;
  readonly additionalProperties?: Structural;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly "x-kubernetes-validations"?: readonly { readonly rule: string; readonly message: string }[];
  readonly [LIST_TYPE]?: "map" | "set" | "atomic";
  readonly [LIST_KEYS]?: readonly string[];
  readonly [FREE_FORM]?: true;
}

/** What a schema of ours may hold; everything else in it is refused. */
export interface Written extends Record<string, unknown> {
  readonly type?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Written>>;
  readonly required?: readonly string[];
  readonly items?: Written;
  readonly anyOf?: readonly Written[];
  readonly patternProperties?: Readonly<Record<string, Written>>;
  readonly [RULES]?: readonly Rule<never>[];
  readonly [CHECKS]?: readonly Check<never>[];
  readonly [NOT_YET]?: string;
}

const KEPT = [
  "default", "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "maxProperties",
  LIST_TYPE, LIST_KEYS, FREE_FORM,
] as const; // prettier-ignore
const REWRITTEN = [
  "type",
  "description",
  "properties",
  "required",
  "items",
  "anyOf",
  "enum",
  "patternProperties",
  RULES,
  CHECKS,
  NOT_YET,
];
const TYPES = ["object", "array", "string", "integer", "number", "boolean"];
const EVERY_NAME = "^.*$";

/**
 * A TypeBox schema as a structural one: unions of literals become enums, records become additionalProperties, rules become
 * CEL. Throws for whatever the API server would refuse or silently ignore, and for a field without description or limit.
 */
export function toStructural(schema: object, path = "schema"): Structural {
  const written = schema as Written;
  const refuse = (why: string): never => {
    throw new TypeError(`${path}: ${why}`);
  };
  for (const keyword of Object.keys(written)) {
    if (!REWRITTEN.includes(keyword) && !KEPT.some((kept) => kept === keyword))
      refuse(`${keyword} is not structural`);
  }
  const words = wordsOf(written);
  const type = words === undefined ? written.type : "string";
  if (typeof type !== "string" || !TYPES.includes(type)) return refuse(`the type is ${JSON.stringify(type)}`);
  if (written.anyOf !== undefined && words === undefined)
    refuse("anyOf is something else than a choice of words");
  if (type === "string" && words === undefined && written["maxLength"] === undefined)
    refuse("a string needs maxLength");
  if (type === "array" && written["maxItems"] === undefined) refuse("a list needs maxItems");
  if (type === "array" && written.items === undefined) refuse("a list needs items");
  const rules = written[RULES] ?? [];
  return {
    description: describe(written) ?? refuse("a field needs a description"),
    type: type as Structural["type"],
    ...Object.fromEntries(
      KEPT.flatMap((keyword) => (keyword in written ? [[keyword, written[keyword]]] : [])),
    ),
    ...(words === undefined ? {} : { enum: words }),
    ...fieldsOf(written, path, refuse),
    ...(written.items === undefined ? {} : { items: toStructural(written.items, `${path}[]`) }),
    ...(rules.length === 0
      ? {}
      : { "x-kubernetes-validations": rules.map(({ cel, message }) => ({ rule: cel, message })) }),
  };
}

function fieldsOf(written: Written, path: string, refuse: (why: string) => never): Partial<Structural> {
  const named = Object.entries(written.properties ?? {});
  const byPattern = Object.entries(written.patternProperties ?? {});
  if (byPattern.length > 0) {
    const [[pattern, values] = ["", undefined]] = byPattern;
    if (named.length > 0) refuse("named fields and free names do not go together");
    if (byPattern.length > 1 || pattern !== EVERY_NAME || values === undefined)
      return refuse("names by pattern are not structural");
    if (written["maxProperties"] === undefined) refuse("free names need maxProperties");
    return { additionalProperties: toStructural(values, `${path}.*`) };
  }
  if (named.length === 0) return {};
  // Defaults are filled in before anything is validated: who writes a policy need not give the field.
  const required = (written.required ?? []).filter(
    (name) => written.properties?.[name]?.["default"] === undefined,
  );
  return {
    properties: Object.fromEntries(
      named.map(([name, field]) => [name, toStructural(field, `${path}.${name}`)]),
    ),
    ...(required.length === 0 ? {} : { required }),
  };
}

/** The words of a choice, however it is written; undefined for every other schema. */
function wordsOf({ anyOf, enum: listed }: Written): readonly string[] | undefined {
  const words: readonly unknown[] | undefined = Array.isArray(listed)
    ? listed
    : anyOf?.map((one) => one["const"]);
  return words?.every((word) => typeof word === "string") === true ? words : undefined;
}

/** The description as `kubectl explain` shows it, with the default, and with what this version does not act on. */
function describe(written: Written): string | undefined {
  if (written.description === undefined || written.description === "") return undefined;
  const given = written["default"];
  const preset =
    given === undefined || typeof given === "object"
      ? ""
      : ` Default ${JSON.stringify(given).replaceAll('"', "")}.`;
  const notYet = written[NOT_YET] === undefined ? "" : ` Not acted on by this version: ${written[NOT_YET]}.`;
  return `${written.description}${preset}${notYet}`;
}
