import { answer, fail, figure, log, Node, Observation, Plan, read, Step, Value } from "@sluice/pdk";
import { Alignment, Claim } from "./claim";
import { share, taken } from "./share";

/** Where the steps of a policy are of several algorithms, each finds its config under its name. */
const NAME = "topology-planner";

/** Shares a budget out to what the nodes want, as an earlier analyze step or a source says. */
export function plan(): i32 {
  const step = read();
  const config = step.config.has(NAME) ? step.config.object(NAME) : step.config;
  const budget = config.number("budget");
  const wants = new Wants(step, config);
  const claims: Claim[] = [];
  let reserved: f64 = 0;
  let least: f64 = 0;
  for (let i = 0; i < step.topology.nodes.length; i++) {
    const node = step.topology.nodes[i];
    const cost = config.object("nodes").object(node.name).number("cost", 1);
    least += <f64>node.min * cost;
    if (wants.has(node.name)) claims.push(claimOf(node, wants, cost, config));
    else {
      reserved += <f64>node.parallelism * cost;
      log.warn(`${node.name} is left as it is, at ${node.parallelism}: ${wants.missing}`);
    }
  }
  if (least > budget)
    fail(`config.budget: ${figure(budget)} is less than the ${figure(least)} that the least of every node takes`);
  const plan = new Plan();
  if (reserved + taken(claims) > budget) {
    log.warn(`all nodes are left as they are: ${figure(reserved)} of ${figure(budget)} are taken by nodes without a want`);
    return answer(plan);
  }
  share(claims, budget - reserved);
  for (let i = 0; i < claims.length; i++)
    plan.want(claims[i].name, claims[i].granted, because(claims[i], budget, wants));
  tell(claims, budget);
  return answer(plan);
}

/** What nodes want: from the source that the config names, or else what an analyze step answered. */
class Wants {
  private source: Observation | null = null;
  private readonly nodes: Value;

  constructor(step: Step, config: Value) {
    this.nodes = step.analyze.object("nodes");
    if (config.has("source")) this.source = step.source(config.text("source"));
    else if (!step.analyze.has("nodes"))
      fail("config.source: is missing, and no analyze step answered with nodes: one of them has to say what is wanted");
  }

  has(node: string): bool {
    const source = this.source;
    if (source === null) return this.nodes.has(node);
    return source.has(node) && source.sum(node) >= 0;
  }

  /** Whole instances. */
  of(node: string): f64 {
    const source = this.source;
    if (source !== null) return Math.ceil(source.sum(node));
    const wanted = this.nodes.object(node);
    const number = wanted.has("demand") ? wanted.number("demand") : wanted.number("parallelism");
    if (!(number >= 0)) fail(`${wanted.path}: ${number} is no parallelism`);
    return Math.ceil(number);
  }

  /** Why it is wanted, as far as somebody said. */
  why(node: string): string {
    if (this.source !== null) return "";
    const reason = this.nodes.object(node).text("reason", "");
    return reason.length == 0 ? "" : ` (${reason})`;
  }

  /** Why nothing is known of a node. */
  get missing(): string {
    const source = this.source;
    if (source === null) return "the analyze step says nothing of it";
    return `${source.name} has no number of instances for it${source.error.length == 0 ? "" : ` (${source.error})`}`;
  }
}

function claimOf(node: Node, wants: Wants, cost: f64, config: Value): Claim {
  const wanted = wants.of(node.name);
  const most = max(node.min, min(node.max, node.ceiling));
  let weight = config.object("nodes").object(node.name).number("weight", 1);
  if (config.text("fairness", "Instances") == "Need") weight *= Math.max(1, wanted);
  return new Claim(node.name, node.min, most, wanted, cost, weight, node.alignTo, alignmentOf(config));
}

function alignmentOf(config: Value): Alignment {
  const align = config.text("align", "Balanced");
  if (align == "Balanced") return Alignment.Balanced;
  return align == "Divisors" ? Alignment.Divisors : Alignment.Off;
}

function because(claim: Claim, budget: f64, wants: Wants): string {
  const wanted = `${figure(claim.wanted)} wanted${wants.why(claim.name)}`;
  const granted = figure(claim.granted);
  if (claim.granted < claim.top)
    return `${wanted}, ${granted} is its fair share of the budget of ${figure(budget)}`;
  if (claim.granted == claim.wanted) return wanted;
  if (claim.granted == claim.least) return `${wanted}, ${granted} is the least that it may have`;
  if (claim.wanted > claim.most && claim.granted == claim.most)
    return `${wanted}, ${granted} is the most that it may have`;
  return `${wanted}, and its ${figure(claim.partitions)} partitions lie best on ${granted}`;
}

/** One line about what was left out. */
function tell(claims: Claim[], budget: f64): void {
  const short: string[] = [];
  for (let i = 0; i < claims.length; i++) {
    const claim = claims[i];
    if (claim.granted < claim.top) short.push(`${claim.name} ${figure(claim.granted)} of ${figure(claim.top)}`);
  }
  if (short.length > 0) log.info(`the budget of ${figure(budget)} leaves out: ${short.join(", ")}`);
}
