import { answer, Fields, figure, log, Node, Plan, read, seconds, Step, Value } from "@sluice/pdk";
import { execute, insteadOf, ScaledObject, Situation } from "./executor";
import { joined, Jobs, jobPlan } from "./jobs";
import { lagOf } from "./kafka";
import { Trigger } from "./read";
import { Behavior, Reading } from "./trigger";

const BEHAVIORS: string[] = ["static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"];

/** What every trigger of every node says, and of Kafka each partition's lag. */
export function analyze(): i32 {
  const step = read();
  const nodes = new Fields();
  for (let i = 0; i < step.topology.nodes.length; i++) {
    const node = step.topology.nodes[i];
    const triggers = triggersOf(step, node);
    const told = new Array<Fields>(triggers.length);
    for (let at = 0; at < triggers.length; at++) told[at] = toldOf(triggers[at], step, node);
    nodes.object(node.name, new Fields().list("triggers", told));
  }
  return answer(new Fields().object("nodes", nodes));
}

/** As many instances as the triggers ask for, what sleeps and wakes included. */
export function plan(): i32 {
  const step = read();
  const plan = new Plan();
  const memory = new Memory(step);
  for (let i = 0; i < step.topology.nodes.length; i++) decide(step, step.topology.nodes[i], plan, memory);
  plan.remember(memory.fields());
  return answer(plan);
}

/** What is remembered from pass to pass: since when there is no work, failures in a row, and what was committed. */
class Memory {
  private worked: Fields = new Fields();
  private failed: Fields = new Fields();
  private committed: Fields = new Fields();

  constructor(private step: Step) {}

  /** Seconds since there was work at the node; NaN where that is not known. */
  idleSeconds(node: string): f64 {
    const worked = this.step.carry.object("worked");
    return worked.has(node) ? seconds(this.step.time) - worked.number(node) : NaN;
  }

  sawWork(node: string, isActive: bool): void {
    const worked = this.step.carry.object("worked");
    const now = seconds(this.step.time);
    if (isActive) this.worked.number(node, now);
    else if (worked.has(node)) this.worked.number(node, worked.number(node));
  }

  /** How often in a row the trigger has failed, this time included. */
  failures(node: string, trigger: Reading): f64 {
    if (trigger.error == "") return 0;
    const place = `${node}/${trigger.name}`;
    const failures = this.step.carry.object("failed").number(place, 0) + 1;
    this.failed.number(place, failures);
    return failures;
  }

  sawOffsets(trigger: Trigger): void {
    if (trigger.type != "kafka" || !trigger.kafkaRules().excludesPersistentLag) return;
    const said = this.step.source(trigger.value.text("source", "kafka"));
    if (said.error != "") return;
    const partitions = trigger.partitions(said, this.step);
    const offsets = new Fields();
    for (let i = 0; i < partitions.length; i++)
      if (partitions[i].committed >= 0) offsets.number(`${partitions[i].topic}/${partitions[i].id}`, partitions[i].committed);
    this.committed.object(trigger.name, offsets);
  }

  fields(): Fields {
    return new Fields()
      .object("worked", this.worked)
      .object("failed", this.failed)
      .object("committed", this.committed);
  }
}

const mirrors = (step: Step): bool => step.config.text("compat", "") == "keda";

function decide(step: Step, node: Node, plan: Plan, memory: Memory): void {
  const triggers = triggersOf(step, node);
  const object = objectOf(settingsOf(step, node));
  const readings = new Array<Reading>(triggers.length);
  const current = <f64>node.parallelism;
  let isActive = false;
  let failed: Reading | null = null;
  for (let i = 0; i < triggers.length; i++) {
    const reading = triggers[i].read(step, node);
    readings[i] = reading;
    memory.sawOffsets(triggers[i]);
    if (reading.error != "") failed = failed === null ? reading : failed;
    isActive = isActive || reading.isActive;
  }
  const jobs = settingsOf(step, node).object("jobs");
  if (jobs.has("strategy")) return decideJobs(plan, node, readings, jobs, failed);
  const executed = execute(object, new Situation(current, isActive, failed !== null, idleSeconds(step, node, memory)));
  memory.sawWork(node.name, isActive && failed === null);
  if (!isNaN(executed.replicas)) return plan.want(node.name, executed.replicas, executed.says);
  decideByReadings(plan, node, readings, object, memory, failed);
}

/** The original puts to sleep what it never saw at work; here a cooldown begins then. */
function idleSeconds(step: Step, node: Node, memory: Memory): f64 {
  const idle = memory.idleSeconds(node.name);
  if (isNaN(idle) && !mirrors(step)) {
    memory.sawWork(node.name, true);
    return 0;
  }
  return idle;
}

function decideByReadings(
  plan: Plan,
  node: Node,
  readings: Reading[],
  object: ScaledObject,
  memory: Memory,
  failed: Reading | null,
): void {
  const current = <f64>node.parallelism;
  let best: Reading | null = null;
  let wanted: f64 = -1;
  for (let i = 0; i < readings.length; i++) {
    const one = readings[i];
    const instead = insteadOf(object, memory.failures(node.name, one), current);
    if (one.error != "" && isNaN(instead)) continue;
    const asked = one.error == "" ? one.replicas : instead;
    if (asked <= wanted) continue;
    wanted = asked;
    best = one;
  }
  // What cannot be read might ask for more: nothing is taken away for what can.
  if (best === null || (failed !== null && wanted < current && best.error == ""))
    return stays(node, failed === null ? "it has no trigger" : `${failed.name}: ${failed.error}`);
  const says = best.error == "" ? `${best.name}: ${best.says}` : `${best.name} fails: its fallback (${best.error})`;
  plan.want(node.name, Math.max(0, wanted), says);
}

function stays(node: Node, why: string): void {
  log.warn(`${node.name} is left as it is: ${why}`);
}

function decideJobs(plan: Plan, node: Node, readings: Reading[], settings: Value, failed: Reading | null): void {
  if (failed !== null) return stays(node, `${failed.name}: ${failed.error}`);
  const most = settings.number("maxReplicaCount", 100);
  const all = joined(readings, settings.text("multipleScalersCalculation", "max"));
  const running = countOf(node, "running");
  const pending = countOf(node, "pending");
  const planned = jobPlan(
    settings.text("strategy"),
    all.wanted,
    new Jobs(running, pending, most),
    settings.number("customScalingQueueLengthDeduction", 0),
    settings.number("customScalingRunningJobPercentage", 0),
    settings.number("scaleTo", 1),
  );
  const create = Math.max(0, planned.create);
  plan.want(node.name, running + create, `${figure(create)} more jobs for ${figure(all.wanted)} that there is work for`);
}

/** Jobs of a node; attributes are texts. */
function countOf(node: Node, name: string): f64 {
  const told = node.attributes.text(name, "");
  return told == "" ? (name == "running" ? <f64>node.parallelism : 0) : parseFloat(told);
}

/** A node's own settings where it has triggers of its own, and those of all nodes otherwise. */
function settingsOf(step: Step, node: Node): Value {
  const own = step.config.object("nodes").object(node.name);
  return own.has("triggers") ? own : step.config;
}

function triggersOf(step: Step, node: Node): Trigger[] {
  const values = settingsOf(step, node).list("triggers");
  const triggers = new Array<Trigger>(values.length);
  for (let i = 0; i < values.length; i++) triggers[i] = new Trigger(values[i], i, mirrors(step));
  return triggers;
}

function objectOf(settings: Value): ScaledObject {
  const object = new ScaledObject();
  object.least = settings.number("minReplicaCount", 0);
  object.idle = settings.has("idleReplicaCount") ? settings.number("idleReplicaCount") : NaN;
  object.cooldownSeconds = settings.number("cooldownPeriod", 300);
  const fallback = settings.object("fallback");
  object.hasFallback = fallback.has("replicas");
  object.fallback = fallback.number("replicas", 0);
  object.failureThreshold = fallback.number("failureThreshold", 3);
  object.behavior = BEHAVIORS.indexOf(fallback.text("behavior", "static"));
  return object;
}

function toldOf(trigger: Trigger, step: Step, node: Node): Fields {
  const reading = trigger.read(step, node);
  const told = new Fields().text("name", reading.name);
  if (reading.error != "") return told.text("error", reading.error);
  told.number("value", reading.value).number("target", reading.target).flag("active", reading.isActive);
  told.number("replicas", reading.replicas);
  if (trigger.type != "kafka") return told;
  const partitions = trigger.partitions(step.source(trigger.value.text("source", "kafka")), step);
  const rules = trigger.kafkaRules();
  const lag = lagOf(partitions, rules);
  const each = new Array<Fields>(partitions.length);
  for (let i = 0; i < partitions.length; i++)
    each[i] = new Fields()
      .text("topic", partitions[i].topic)
      .number("partition", partitions[i].id)
      .number("lag", partitions[i].lag)
      .number("lagWithPersistent", partitions[i].lagWithPersistent);
  return told.number("totalLag", lag.total).number("totalLagWithPersistent", lag.withPersistent).list("partitions", each);
}
