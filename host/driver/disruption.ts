import { fieldsOf, type Cluster, type KubeObject, type TenantApi } from "../kube/index.ts";

type Labels = Readonly<Record<string, unknown>>;

/** What of a namespace's disruption budgets matters here. */
export interface Budget {
  readonly covers: (labels: Labels) => boolean;
  /** How many pods may go now. */
  readonly allowed: number;
}

/** The disruption budgets of the account's namespace, read as the account. Throws `Forbidden` if it may not list them. */
export async function readBudgets(cluster: Cluster, api: TenantApi): Promise<Budget[]> {
  const resource = await cluster.resource("policy/v1", "PodDisruptionBudget");
  const budgets: Budget[] = [];
  let next: string | undefined;
  do {
    const page = await api.list(resource, { limit: PAGE, ...(next === undefined ? {} : { continue: next }) });
    budgets.push(...page.items.map(budgetOf));
    next = page.continue;
  } while (next !== undefined && budgets.length < MOST);
  return budgets;
}

const PAGE = 100;
/** Nobody has as many; a list that does not end is not followed. */
const MOST = 1_000;

/**
 * How many of a target's pods may go now: the least that a budget allows that covers them, undefined if none does. Pods
 * whose labels nobody knows may be covered by any.
 */
export function spareOf(budgets: readonly Budget[], object: KubeObject | undefined): number | undefined {
  const template = fieldsOf(fieldsOf(object?.["spec"])["template"]);
  const labels = object === undefined ? undefined : fieldsOf(template["metadata"])["labels"];
  const covering = budgets.filter(({ covers }) => labels === undefined || covers(fieldsOf(labels)));
  return covering.length === 0 ? undefined : Math.min(...covering.map(({ allowed }) => allowed));
}

function budgetOf({ spec, status }: KubeObject): Budget {
  const { disruptionsAllowed } = fieldsOf(status);
  const allowed = Number.isSafeInteger(disruptionsAllowed) ? Math.max(0, disruptionsAllowed as number) : 0;
  return { covers: selects(fieldsOf(spec)["selector"]), allowed };
}

/** Whether a label selector selects these labels: an empty one selects all, none selects nothing. */
function selects(selector: unknown): Budget["covers"] {
  if (selector === undefined || selector === null) return () => false;
  const { matchLabels, matchExpressions } = fieldsOf(selector);
  const equal = Object.entries(fieldsOf(matchLabels));
  const expressions = Array.isArray(matchExpressions) ? matchExpressions.map(fieldsOf) : [];
  return (labels) =>
    equal.every(([key, value]) => labels[key] === value) &&
    expressions.every((one) => holds(one, labels[String(one["key"])]));
}

function holds({ operator, values }: Labels, label: unknown): boolean {
  const listed = Array.isArray(values) && values.includes(label);
  if (operator === "In") return listed;
  if (operator === "NotIn") return !listed;
  if (operator === "Exists") return label !== undefined;
  if (operator === "DoesNotExist") return label === undefined;
  // What is not understood may cover them.
  return true;
}
