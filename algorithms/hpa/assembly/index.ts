import { answer, Fields, log, Node, Plan, read, Step, Value } from "@sluice/pdk";
import { Metric } from "./metric";
import { Proposal, Rules, Tolerance } from "./rules";

const LARGEST: f64 = 2147483647;

/** What every metric of every node asks for, for whoever wants to see it; `plan` goes on from there. */
export function analyze(): i32 {
  const step = read();
  const nodes = new Fields();
  for (let i = 0; i < step.topology.nodes.length; i++) {
    const node = step.topology.nodes[i];
    const proposals = proposalsOf(step, node);
    const told = new Array<Fields>(proposals.length);
    for (let at = 0; at < proposals.length; at++) told[at] = fieldsOf(proposals[at]);
    nodes.object(node.name, new Fields().list("metrics", told));
  }
  return answer(new Fields().object("nodes", nodes));
}

/** The most that any metric asks for. One that fails keeps its node from shrinking, and if all fail it stays as it is. */
export function plan(): i32 {
  const step = read();
  const plan = new Plan();
  const atZero = new Fields();
  for (let i = 0; i < step.topology.nodes.length; i++) {
    const node = step.topology.nodes[i];
    const count = mirrors(step) ? mirrored(step, node, plan) : decided(step, node, plan);
    const wasAtZero = step.carry.object("scaledToZero").flag(node.name);
    // Whoever scales a node to zero by hand has switched this off for it.
    if (count == 0 || (node.parallelism == 0 && count < 0 && wasAtZero)) atZero.flag(node.name, true);
  }
  plan.remember(new Fields().object("scaledToZero", atZero));
  return answer(plan);
}

const mirrors = (step: Step): bool => step.config.text("compat", "") == "kubernetes";

/** What the node is to have; -1 where nothing is decided. */
function decided(step: Step, node: Node, plan: Plan): f64 {
  const all = proposalsSoFar(step, node);
  return highest(all, node, plan);
}

/** The same, with the short cuts that the original takes before it looks at any metric. */
function mirrored(step: Step, node: Node, plan: Plan): f64 {
  const current = node.parallelism;
  if (current == 0 && !mayLeaveZero(step, node)) return stays(node, "it was scaled to 0");
  if (current > node.max) return wants(plan, node, node.max, `${current} is above the most allowed`);
  if (current > 0 && current < node.min) return wants(plan, node, node.min, `${current} is below the least allowed`);
  return highest(proposalsSoFar(step, node), node, plan);
}

/** Only what was scaled to zero by this algorithm comes back, and only where scaling to zero is switched on. */
function mayLeaveZero(step: Step, node: Node): bool {
  if (!step.config.flag("scaleToZero") || !step.carry.object("scaledToZero").flag(node.name)) return false;
  const metrics = metricsOf(step, node);
  for (let i = 0; i < metrics.length; i++) if (metrics[i].isOfAll) return true;
  return node.min != 0;
}

function highest(all: Proposal[], node: Node, plan: Plan): f64 {
  let best: Proposal | null = null;
  let failed: Proposal | null = null;
  for (let i = 0; i < all.length; i++) {
    const one = all[i];
    if (one.error != "") failed = failed === null ? one : failed;
    else if (best === null || one.replicas > best.replicas) best = one;
  }
  const why = failed === null ? "there is no metric" : `${failed.reason}: ${failed.error}`;
  if (best === null) return stays(node, why);
  if (failed !== null && best.replicas < <f64>node.parallelism) return stays(node, why);
  const says = failed === null ? best.says : `${best.says}; ${why}`;
  return wants(plan, node, Math.min(LARGEST, Math.max(0, best.replicas)), says);
}

function wants(plan: Plan, node: Node, count: f64, says: string): f64 {
  plan.want(node.name, count, says);
  return count;
}

function stays(node: Node, why: string): f64 {
  log.warn(`${node.name} is left as it is: ${why}`);
  return -1;
}

/** What `analyze` found in this pass, and where another algorithm analyzes, what is found now. */
function proposalsSoFar(step: Step, node: Node): Proposal[] {
  const told = step.analyze.object("nodes").object(node.name);
  if (!told.has("metrics")) return proposalsOf(step, node);
  const metrics = told.list("metrics");
  const all = new Array<Proposal>(metrics.length);
  for (let i = 0; i < metrics.length; i++) all[i] = proposalFrom(metrics[i]);
  return all;
}

function proposalsOf(step: Step, node: Node): Proposal[] {
  const metrics = metricsOf(step, node);
  const rules = rulesOf(step, node);
  const all: Proposal[] = [];
  for (let i = 0; i < metrics.length; i++) {
    const metric = metrics[i];
    // What is measured of pods is nothing where there are none.
    if (node.parallelism == 0 && !rules.mirrors && !metric.isOfAll) continue;
    const proposal = metric.propose(step, settingsOf(step, node), node, rules);
    proposal.reason = metric.reason;
    proposal.name = metric.name;
    all.push(proposal);
  }
  return all;
}

function metricsOf(step: Step, node: Node): Metric[] {
  const values = settingsOf(step, node).list("metrics");
  const metrics = new Array<Metric>(values.length);
  for (let i = 0; i < values.length; i++) metrics[i] = new Metric(values[i]);
  return metrics;
}

/** A node's own settings where it has metrics of its own, and those of all nodes otherwise. */
function settingsOf(step: Step, node: Node): Value {
  const own = step.config.object("nodes").object(node.name);
  return own.has("metrics") ? own : step.config;
}

function rulesOf(step: Step, node: Node): Rules {
  const settings = settingsOf(step, node);
  const tolerance = settings.number("tolerance", 0.1);
  return new Rules(
    new Tolerance(
      settings.number("scaleUpTolerance", tolerance),
      settings.number("scaleDownTolerance", tolerance),
    ),
    mirrors(step),
    node.parallelism,
    statusOf(node),
  );
}

/** How many pods there were when the workload last said; attributes are texts. */
function statusOf(node: Node): i32 {
  const told = node.attributes.text("statusReplicas", "");
  return told == "" ? node.parallelism : I32.parseInt(told);
}

function fieldsOf(proposal: Proposal): Fields {
  const fields = new Fields().text("name", proposal.name);
  if (proposal.error != "") return fields.text("error", proposal.error).text("reason", proposal.reason);
  // All 64 bits of it, which a number in JSON would lose.
  fields.number("replicas", proposal.replicas).text("usageMilli", proposal.usage.toString());
  if (proposal.utilization >= 0) fields.number("utilization", proposal.utilization);
  return fields.text("says", proposal.says);
}

function proposalFrom(told: Value): Proposal {
  const proposal = new Proposal();
  proposal.name = told.text("name");
  proposal.error = told.text("error", "");
  proposal.reason = told.text("reason", "");
  proposal.says = told.text("says", "");
  proposal.replicas = told.number("replicas", 0);
  return proposal;
}
