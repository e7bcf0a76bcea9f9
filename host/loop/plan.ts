import { checkPlan } from "../contract/index.ts";
import { Fault } from "../fault/index.ts";
import type { Wanted } from "../knowledge/index.ts";
import { quantity } from "../policy/index.ts";
import type { Resources, Topology } from "../topology/index.ts";

/** What the plan step wants, understood: whole numbers for nodes that exist. */
export interface Plan {
  readonly wanted: readonly Wanted[];
  /** The algorithm asks to be run again sooner than the interval. */
  readonly recheckAfterSeconds: number | undefined;
}

/** The largest parallelism that is taken for meant: Kubernetes holds replicas in 32 bits. */
const LARGEST_PARALLELISM = 2 ** 31 - 1;
/** No machine has more processors, or bytes. */
const LARGEST = { cpu: 100_000, memory: 2 ** 50 };
const LIKE = { cpu: "500m", memory: "2Gi" };
const MEBIBYTE = 2 ** 20;
/** An algorithm's own words in status and events; longer ones are cut. */
const SAYS_CHARACTERS = 256;

/**
 * Understands the plan step's answer. The text is attacker-controlled: anything that is not the contract's shape, names an
 * unknown node or is no finite, non-negative number is `OutputInvalid`, and nothing of the plan is used.
 */
export function readPlan(text: string, topology: Topology): Plan {
  const answer = parseObject(text);
  const problems = checkPlan(answer);
  if (problems[0] !== undefined) throw invalid(problems[0].field, problems[0].message);
  const { nodes, recheckAfter } = answer as unknown as PlanAnswer;
  const known = new Set(topology.nodes.map((node) => node.name));
  const wanted = Object.entries(nodes).map(([node, want]) => {
    if (!known.has(node)) throw invalid(`nodes.${node}`, "the topology has no such node");
    return readWanted(node, want);
  });
  return { wanted, recheckAfterSeconds: recheckAfter };
}

interface PlanAnswer {
  readonly nodes: Readonly<Record<string, NodeAnswer>>;
  readonly recheckAfter?: number;
}
interface NodeAnswer {
  readonly parallelism?: number;
  readonly demand?: number;
  readonly resources?: { readonly cpu?: string; readonly memory?: string; readonly slots?: number };
  readonly reason?: string;
}

function readWanted(node: string, { parallelism, demand, resources, reason }: NodeAnswer): Wanted {
  // JSON has a zero below zero; the sum makes it the one that is meant.
  const number = (parallelism ?? Math.ceil(demand ?? Number.NaN)) + 0;
  if (!Number.isInteger(number) || number < 0 || number > LARGEST_PARALLELISM) {
    throw invalid(`nodes.${node}`, `${parallelism ?? demand} is not a parallelism`);
  }
  return {
    node,
    parallelism: number,
    ...(demand === undefined ? {} : { demand }),
    ...(resources === undefined ? {} : { resources: readResources(node, resources) }),
    ...(reason === undefined ? {} : { says: reason.slice(0, SAYS_CHARACTERS) }),
  };
}

/** What an instance is to have, up to whole thousandths of a processor and whole MiB. */
function readResources(
  node: string,
  { cpu, memory, slots }: NonNullable<NodeAnswer["resources"]>,
): Resources {
  const read = (name: "cpu" | "memory", text: string, unit: number) => {
    const number = quantity(text);
    if (number === undefined || !(number > 0 && number <= LARGEST[name]))
      throw invalid(`nodes.${node}.resources.${name}`, `it is no quantity above 0, such as ${LIKE[name]}`);
    // A product such as 0.001 * 1000 * 29 lies a little above what is meant.
    return Math.ceil(number / unit - 1e-6) * unit;
  };
  return {
    ...(cpu === undefined ? {} : { cpu: Math.round(read("cpu", cpu, 0.001) * 1_000) / 1_000 }),
    ...(memory === undefined ? {} : { memory: read("memory", memory, MEBIBYTE) }),
    ...(slots === undefined ? {} : { slots }),
  };
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text, withoutPrototype);
  } catch {
    throw invalid("", "it is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid("", "it is not a JSON object");
  return value as Record<string, unknown>;
}

/** A key that could reach a prototype is an attack, not a node. */
function withoutPrototype(key: string, value: unknown): unknown {
  if (key === "__proto__" || key === "constructor" || key === "prototype")
    throw new SyntaxError("reserved key");
  return value;
}

const invalid = (field: string, message: string) =>
  new Fault("OutputInvalid", `The plan cannot be used: ${field === "" ? message : `${field}: ${message}`}`);
