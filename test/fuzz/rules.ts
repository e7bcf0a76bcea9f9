import type { Change, Iteration, ResourceVerdict } from "../../host/knowledge/index.ts";
import type { TopologyNode } from "../../host/topology/index.ts";
import { SHAPES, type Stage } from "./stages.ts";

/** What no answer may bring about. A second opinion: it is written from the manual, not from the guardrails. */
export function brokenRules(
  pass: Iteration,
  written: readonly Change[],
  remembered: readonly Iteration[],
  stage: Stage,
): string[] {
  const broken: string[] = [];
  const rule = (holds: boolean, what: string) => void (holds || broken.push(what));
  const failed = pass.fault !== undefined;
  rule(
    !failed || pass.fault?.code === "OutputInvalid",
    `it failed with ${pass.fault?.code}: ${pass.fault?.message}`,
  );
  rule(
    !failed || (written.length === 0 && pass.decision === undefined),
    "a pass that failed wrote something",
  );
  rule(remembered.at(-1) === pass, "the pass is not remembered as it ended");
  rule(pollution().length === 0, `the language changed: ${pollution().join(", ")}`);
  const { nodes } = stage.topology;
  const verdicts = pass.decision?.verdicts ?? [];
  rule(
    failed || verdicts.map(({ node }) => node).join() === stage.names.join(),
    "the verdicts are not the nodes'",
  );
  for (const [at, { granted }] of verdicts.entries()) {
    const node = nodes[at];
    if (node !== undefined) broken.push(...brokenGrant(granted, node));
  }
  const given = sum(verdicts.map(({ granted }) => granted));
  const total = Math.max(stage.policy.guardrails.totalMax ?? Infinity, sum(nodes.map(leastOf)));
  rule(given <= total, `${given} are granted in total, more than ${total}`);
  const due = verdicts.flatMap(({ granted, resources }, at) => {
    const node = nodes[at];
    const shape = shapeOf(resources);
    if (node === undefined || (node.parallelism === granted && shape === undefined)) return [];
    const change = { node: node.name, from: node.parallelism, to: granted, revision: node.revision };
    return [{ ...change, ...(shape === undefined ? {} : { resources: shape }) }];
  });
  for (const { node, resources } of verdicts) broken.push(...brokenShape(node, resources));
  rule(JSON.stringify(written) === JSON.stringify(due), "what was written is not what was granted");
  return broken;
}

/** What of an instance is another than before, in the order in which it is told. */
function shapeOf(resources: ResourceVerdict | undefined) {
  const [from, to]: [Record<string, unknown>, Record<string, unknown>] = [{}, {}];
  for (const one of ["cpu", "memory", "slots"] as const) {
    const [was, is] = [resources?.current[one], resources?.granted[one]];
    if (is === was) continue;
    if (was !== undefined) from[one] = was;
    to[one] = is;
  }
  return Object.keys(to).length === 0 ? undefined : { from, to };
}

function brokenShape(name: string, resources: ResourceVerdict | undefined): string[] {
  if (resources === undefined) return [];
  const { current, granted } = resources;
  return (["cpu", "memory", "slots"] as const).flatMap((one) => {
    const [was, is] = [current[one], granted[one]];
    if (is === was) return [];
    const ends = one === "slots" || was === undefined ? undefined : SHAPES[one];
    return ends !== undefined && is !== undefined && is >= ends.min && is <= ends.max
      ? []
      : [`an instance of ${name} is granted ${is} of ${one}, not ${ends?.min} to ${ends?.max}`];
  });
}

function brokenGrant(granted: number, node: TopologyNode): string[] {
  const most = Math.max(Math.min(node.max, node.ceiling ?? node.max), leastOf(node));
  if (!Number.isInteger(granted) || Object.is(granted, -0)) return [`${node.name} is granted ${granted}`];
  return granted < leastOf(node) || granted > most
    ? [`${node.name} is granted ${granted}, not ${leastOf(node)} to ${most}`]
    : [];
}

/** A node's minimum; what runs keeps at least one, unless more than nothing cannot work. */
const leastOf = ({ min, max, ceiling, parallelism }: TopologyNode) =>
  Math.max(Math.min(min, max, ceiling ?? max), parallelism > 0 ? 1 : 0);
const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);

const PROTOTYPES = [
  Object.prototype,
  Array.prototype,
  Function.prototype,
  String.prototype,
  Number.prototype,
  RegExp.prototype,
  Map.prototype,
  Set.prototype,
  Promise.prototype,
  Uint8Array.prototype,
] as const;
const BEFORE = PROTOTYPES.map(
  (one) => Object.getOwnPropertyDescriptors(one) as Record<PropertyKey, PropertyDescriptor>,
);

/** What of the language's own objects is not as it was when this module was loaded. */
export function pollution(thorough = false): string[] {
  return PROTOTYPES.flatMap((prototype, at) => {
    const known = BEFORE[at] ?? {};
    const names = Reflect.ownKeys(prototype);
    if (!thorough && names.length === Reflect.ownKeys(known).length) return [];
    return [...new Set([...names, ...Reflect.ownKeys(known)])].flatMap((name) => {
      const [is, was] = [Object.getOwnPropertyDescriptor(prototype, name), known[name]];
      return is?.value === was?.value && is?.get === was?.get && is?.set === was?.set ? [] : [String(name)];
    });
  });
}
