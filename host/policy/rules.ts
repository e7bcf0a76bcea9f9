import type { Problem } from "../fault/index.ts";
import { isRecord } from "./fill.ts";
import { CHECKS, LIST_KEYS, LIST_TYPE, NOT_YET, RULES } from "./schema/field.ts";
import type { Written } from "./schema/structural.ts";

/** What was found in a value: what cannot be meant, and what this version does not act on. */
export interface Findings {
  readonly wrong: Problem[];
  readonly notYet: Problem[];
}

/**
 * Looks through a value for entries that stand twice, broken rules, and fields that are not acted on. A rule is not asked
 * about a value in which something is wrong already, because it may rely on what is wrong.
 */
export function inspect(schema: object, value: unknown, path: string, found: Findings): void {
  if (value === undefined) return;
  const written = schema as Written;
  if (written[NOT_YET] !== undefined) {
    found.notYet.push({ field: path, message: `is not acted on by this version: ${written[NOT_YET]}` });
  }
  const { items } = written;
  if (items !== undefined && Array.isArray(value)) {
    value.forEach((item, at) => inspect(items, item, `${path}[${at}]`, found));
  }
  if (isRecord(value)) {
    for (const [name, field] of Object.entries(written.properties ?? {}))
      inspect(field, value[name], `${path}.${name}`, found);
  }
  const broken = (problem: Problem) =>
    problem.field === path || problem.field.startsWith(`${path}.`) || problem.field.startsWith(`${path}[`);
  if (found.wrong.some(broken)) return;
  const twice = Array.isArray(value) ? duplicates(written, value) : [];
  const rules = (written[RULES] ?? []).filter(({ holds }) => holds?.(value as never) === false);
  found.wrong.push(
    ...twice.map((at) => ({
      field: `${path}[${at}]`,
      message: "stands in the list twice: remove one of the two, or rename it",
    })),
  );
  found.wrong.push(...rules.slice(0, 1).map(({ message }) => ({ field: path, message })));
  if (twice.length > 0 || rules.length > 0) return;
  for (const check of written[CHECKS] ?? []) {
    found.wrong.push(
      ...check(value as never).map(({ field, message }) => ({ field: `${path}${field}`, message })),
    );
  }
}

/** Where an entry stands that was in the list before, by its keys or, in a set, as a whole. */
function duplicates(schema: Written, list: readonly unknown[]): number[] {
  if (schema[LIST_TYPE] === "atomic") return [];
  const keys = schema[LIST_KEYS] as readonly string[] | undefined;
  const seen = new Set<string>();
  return list.flatMap((item, at) => {
    const key = JSON.stringify(keys === undefined || !isRecord(item) ? item : keys.map((name) => item[name]));
    if (seen.has(key)) return [at];
    seen.add(key);
    return [];
  });
}
