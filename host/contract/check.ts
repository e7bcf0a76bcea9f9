/** One thing that is wrong with a document: which field, and why. */
export interface Problem {
  readonly field: string;
  readonly message: string;
}

/** The keywords of JSON Schema that the contract uses. */
interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | false;
  readonly oneOf?: readonly { readonly required: readonly string[] }[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly title?: string;
  readonly description?: string;
  readonly format?: string;
}

/** A reader corrects what one message can show; without a limit a hostile list would be told entry by entry. */
const PROBLEMS_MAX = 20;

const TYPES: Readonly<Record<string, readonly [name: string, is: (value: unknown) => boolean]>> = {
  object: ["an object", (value) => typeof value === "object" && value !== null && !Array.isArray(value)],
  array: ["a list", (value) => Array.isArray(value)],
  string: ["text", (value) => typeof value === "string"],
  number: ["a finite number", (value) => Number.isFinite(value)],
  integer: ["a whole number", (value) => Number.isInteger(value)],
  boolean: ["true or false", (value) => typeof value === "boolean"],
};
const KEYWORDS = new Set(
  `type const enum required properties additionalProperties oneOf items minItems maxItems minLength maxLength pattern
   minimum maximum exclusiveMinimum title description format`.split(/\s+/),
);

/**
 * A check by a schema: it lists what is wrong, at most 20 problems, and never throws on a document that `JSON.parse` made.
 * Throws at once if the schema has a keyword that would not be checked. Annotations (`title`, `description`, `format`) are not checked.
 */
export function checker(schema: object): (value: unknown) => readonly Problem[] {
  known(schema);
  return (value) => {
    const problems: Problem[] = [];
    check(schema, value, "", problems);
    return problems.slice(0, PROBLEMS_MAX);
  };
}

function known(schema: Schema): void {
  const stranger = Object.keys(schema).find((keyword) => !KEYWORDS.has(keyword));
  if (stranger !== undefined) throw new Error(`the contract uses ${stranger}, which nothing checks`);
  const { properties = {}, additionalProperties, items } = schema;
  const below = [...Object.values(properties), ...(additionalProperties ? [additionalProperties] : [])];
  for (const inner of items === undefined ? below : [...below, items]) known(inner);
}

function check(schema: Schema, value: unknown, field: string, problems: Problem[]): void {
  if (problems.length >= PROBLEMS_MAX) return;
  const wrong = wrongType(schema, value) ?? wrongValue(schema, value);
  if (wrong !== undefined) return void problems.push({ field, message: wrong });
  if (Array.isArray(value)) checkItems(schema, value, field, problems);
  else if (typeof value === "object" && value !== null)
    checkFields(schema, Object.entries(value), field, problems);
}

function wrongType(schema: Schema, value: unknown): string | undefined {
  const type = schema.type === undefined ? undefined : TYPES[schema.type];
  if (type !== undefined && !type[1](value)) return `must be ${type[0]}`;
  if ("const" in schema && value !== schema.const) return `must be ${JSON.stringify(schema.const)}`;
  if (schema.enum && !schema.enum.includes(value)) return `must be one of ${schema.enum.join(", ")}`;
  return undefined;
}

function wrongValue(schema: Schema, value: unknown): string | undefined {
  const { minimum, maximum, exclusiveMinimum, minLength, maxLength, pattern } = schema;
  if (typeof value === "number") {
    if (minimum !== undefined && value < minimum) return `must be at least ${minimum}`;
    if (maximum !== undefined && value > maximum) return `must be at most ${maximum}`;
    if (exclusiveMinimum !== undefined && value <= exclusiveMinimum)
      return `must be above ${exclusiveMinimum}`;
  }
  if (typeof value === "string") {
    if (minLength !== undefined && value.length < minLength) return "must not be empty";
    // JSON Schema counts characters, not UTF-16 units; only a long text has to be counted twice.
    const long = maxLength !== undefined && value.length > maxLength && [...value].length > maxLength;
    if (long) return `must have at most ${maxLength} characters`;
    if (pattern !== undefined && !new RegExp(pattern, "u").test(value)) return `must match ${pattern}`;
  }
  return undefined;
}

function checkItems(schema: Schema, list: readonly unknown[], field: string, problems: Problem[]): void {
  const { items, minItems, maxItems } = schema;
  if (minItems !== undefined && list.length < minItems) {
    problems.push({ field, message: `must have at least ${minItems} entries` });
  }
  if (maxItems !== undefined && list.length > maxItems) {
    return void problems.push({ field, message: `must have at most ${maxItems} entries` });
  }
  if (items === undefined) return;
  for (const [at, item] of list.entries()) {
    if (problems.length >= PROBLEMS_MAX) return;
    check(items, item, `${field}[${at}]`, problems);
  }
}

function checkFields(
  schema: Schema,
  fields: readonly (readonly [string, unknown])[],
  field: string,
  problems: Problem[],
): void {
  const { required = [], properties = {}, additionalProperties, oneOf } = schema;
  const names = new Set(fields.map(([name]) => name));
  for (const name of required) {
    if (!names.has(name)) problems.push({ field: within(field, name), message: "is missing" });
  }
  const sets = oneOf?.filter((one) => one.required.every((name) => names.has(name)));
  if (oneOf !== undefined && sets?.length !== 1) {
    const choices = oneOf.map((one) => one.required.join(" with ")).join(", ");
    problems.push({ field, message: `must have exactly one of ${choices}` });
  }
  for (const [name, value] of fields) {
    if (problems.length >= PROBLEMS_MAX) return;
    const inner = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (inner === false) problems.push({ field: within(field, name), message: "is not known here" });
    else if (inner !== undefined) check(inner, value, within(field, name), problems);
  }
}

const within = (field: string, name: string) => (field === "" ? name : `${field}.${name}`);
