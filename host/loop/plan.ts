import { checkPlan } from "../contract/index.ts";
import { Fault } from "../fault/index.ts";
import type { Wanted } from "../knowledge/index.ts";
import type { Topology } from "../topology/index.ts";

/** What the plan step wants, understood: whole numbers for nodes that exist. */
export interface Plan {
  readonly wanted: readonly Wanted[];
  /** The algorithm asks to be run again sooner than the interval. */
  readonly recheckAfterSeconds: number | undefined;
}

/** The largest parallelism that is taken for meant: Kubernetes holds replicas in 32 bits. */
const LARGEST_PARALLELISM = 2 ** 31 - 1;
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
  readonly reason?: string;
}

function readWanted(node: string, { parallelism, demand, reason }: NodeAnswer): Wanted {
  // JSON has a zero below zero; the sum makes it the one that is meant.
  const number = (parallelism ?? Math.ceil(demand ?? Number.NaN)) + 0;
  if (!Number.isInteger(number) || number < 0 || number > LARGEST_PARALLELISM) {
    throw invalid(`nodes.${node}`, `${parallelism ?? demand} is not a parallelism`);
  }
  return {
    node,
    parallelism: number,
    ...(demand === undefined ? {} : { demand }),
    ...(reason === undefined ? {} : { says: reason.slice(0, SAYS_CHARACTERS) }),
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
