/** What of a JSON Schema decides whether a document fits. */
interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | false;
  readonly items?: Schema;
  readonly oneOf?: readonly { readonly required: readonly string[] }[];
  readonly [limit: string]: unknown;
}

/** Who writes a document: the host, which may say more to a guest, or a guest, of which the host may take more. */
type Writer = "host" | "guest";

const LOWER = ["minimum", "exclusiveMinimum", "minLength", "minItems"];
const UPPER = ["maximum", "maxLength", "maxItems"];

/** What a later schema breaks of a promise that an earlier one gave; empty is nothing. */
export function broken(before: Schema, after: Schema, writer: Writer, at = ""): string[] {
  const words = [...wordsBroken(before, after, writer), ...limitsBroken(before, after, writer)];
  const found = words.map((what) => `${at}: ${what}`);
  const required = [after.required ?? [], before.required ?? []];
  // What the host always writes stays so; what a guest may leave out it may leave out for ever.
  const [less = [], more = []] = writer === "host" ? required : required.toReversed();
  for (const name of more)
    if (!less.includes(name))
      found.push(`${at}.${name}: ${writer === "host" ? "is no longer always there" : "has become required"}`);
  for (const [name, field] of Object.entries(before.properties ?? {})) {
    const now = after.properties?.[name];
    if (now === undefined) found.push(`${at}.${name}: is gone`);
    else found.push(...broken(field, now, writer, `${at}.${name}`));
  }
  const inner = [
    [before.items, after.items],
    [before.additionalProperties || undefined, after.additionalProperties || undefined],
  ];
  for (const [then, now] of inner)
    if (then !== undefined && now !== undefined) found.push(...broken(then, now, writer, `${at}[]`));
  return found;
}

function wordsBroken(before: Schema, after: Schema, writer: Writer): string[] {
  const found: string[] = [];
  if (before.type !== after.type) found.push(`was ${before.type}, is ${after.type}`);
  if (before.const !== after.const) found.push(`was ${String(before.const)}, is ${String(after.const)}`);
  if (before.pattern !== after.pattern) found.push("has another pattern");
  if (JSON.stringify(before.oneOf) !== JSON.stringify(after.oneOf)) found.push("has other alternatives");
  const [few = [], many = []] = writer === "host" ? [before.enum, after.enum] : [after.enum, before.enum];
  for (const word of many)
    if (!few.includes(word)) found.push(`${writer === "host" ? "says" : "refuses"} ${String(word)} now`);
  if (before.additionalProperties !== false && after.additionalProperties === false)
    found.push("takes no other fields any more");
  return found;
}

/** What the host writes stays within its limits; what it takes from a guest does not get less. */
function limitsBroken(before: Schema, after: Schema, writer: Writer): string[] {
  const wide = (schema: Schema, name: string, otherwise: number) => Number(schema[name] ?? otherwise);
  const moved = (
    names: readonly string[],
    unlimited: number,
    isNarrower: (one: number, other: number) => boolean,
  ) =>
    names.filter((name) => {
      const [then, now] = [wide(before, name, unlimited), wide(after, name, unlimited)];
      return writer === "host" ? isNarrower(then, now) : isNarrower(now, then);
    });
  return [
    ...moved(LOWER, -Infinity, (one, other) => one > other),
    ...moved(UPPER, Infinity, (one, other) => one < other),
  ].map((name) => `has another ${name}`);
}
