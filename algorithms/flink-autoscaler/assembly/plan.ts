import { figure as figureText, log, Plan, seconds, Step } from "@sluice/pdk";
import { evaluatedOf, figure } from "./analysis";
import { decide, Decision } from "./decision";
import { Evaluated } from "./evaluation";
import { Graph } from "./graph";
import { Options } from "./options";
import { inPeriod } from "./periods";
import { tune, Tuning, Used } from "./memory";
import { beyondQuota, managersFor, slotsAfter } from "./quota";
import { Memory, wasRescaled } from "./remembered";
import { Scaling } from "./scalings";

/** Decides for the job: all vertices move together, or none does. */
export class Job {
  private readonly options: Options;
  private readonly graph: Graph;
  private readonly now: f64;
  private readonly memory: Memory;
  private readonly plan: Plan = new Plan();
  private readonly evaluated: Evaluated[] = [];
  private readonly decisions: Decision[] = [];

  constructor(private readonly step: Step) {
    this.options = Options.of(step.config);
    this.graph = new Graph(step.topology);
    this.now = seconds(step.time) * 1000;
    this.memory = new Memory(step);
    // What was decided may have been held back: the waiting ends when it has really happened.
    if (!this.options.compat && wasRescaled(step, this.graph)) this.memory.delays.clear();
  }

  answer(): Plan {
    const held = this.heldBefore();
    if (held.length > 0) this.hold(held);
    else this.decide();
    this.plan.remember(this.memory.fields(this.graph));
    return this.plan;
  }

  /** Why nothing is even looked at; empty if it is. */
  private heldBefore(): string {
    const waits = this.step.monitor.text("waits", "");
    if (waits.length > 0) return waits;
    const job = this.step.analyze.object("job");
    const gc = figure(job, "gcPressure");
    if (gc > this.options.gcThreshold)
      return `memory pressure: ${figureText(gc * 100)} % of the time goes to garbage collection`;
    const heap = figure(job, "heapUsageAverage");
    if (heap > this.options.heapThreshold) return `memory pressure: ${figureText(heap * 100)} % of the heap is used`;
    return "";
  }

  /** Every vertex stays, for the same reason. */
  private hold(reason: string): void {
    for (let v = 0; v < this.graph.vertices.length; v++) {
      const vertex = this.graph.vertices[v];
      if (!this.isUnknown(vertex.name)) this.plan.want(vertex.name, <f64>vertex.parallelism, reason);
    }
  }

  private decide(): void {
    const vertices = this.step.analyze.object("vertices");
    const restart = this.step.analyze.number("restartSeconds", Math.floor(this.options.restartMs / 1000));
    let outside = false;
    for (let v = 0; v < this.graph.vertices.length; v++) {
      const seen = evaluatedOf(vertices.object(this.graph.vertices[v].name));
      this.evaluated.push(seen);
      const decision = this.decideFor(v, seen, restart);
      this.decisions.push(decision);
      if (decision.parallelism != decision.current && decision.outside) outside = true;
    }
    const reason = this.heldAfter(outside);
    for (let v = 0; v < this.decisions.length; v++) this.want(v, reason);
    if (reason.length == 0) this.remember();
  }

  private decideFor(v: i32, seen: Evaluated, restart: f64): Decision {
    const vertex = this.graph.vertices[v];
    if (this.options.excludedVertices.includes(vertex.name) || vertex.finished) {
      const decision = new Decision(vertex.parallelism);
      decision.reason = vertex.finished ? "it has finished" : "vertex.exclude.ids names it";
      return decision;
    }
    if (this.isUnknown(vertex.name)) {
      const decision = new Decision(vertex.parallelism);
      decision.known = false;
      return decision;
    }
    const past = this.memory.past(vertex.name);
    const delay = this.memory.delay(vertex.name);
    const decision = decide(vertex, seen, past, delay, restart, this.now, this.options);
    this.memory.setDelay(vertex.name, decision.delay);
    if (decision.warning.length > 0) log.warn(`${vertex.name}: ${decision.warning}`);
    return decision;
  }

  /** Why what was decided is not done; empty if it is. */
  private heldAfter(outside: bool): string {
    if (!outside) return "every vertex that would change is within its bounds";
    if (!this.options.scalingEnabled) return "scaling.enabled is false";
    const periods = this.options.excludedPeriods;
    for (let i = 0; i < periods.length; i++)
      if (inPeriod(periods[i], this.now + this.options.utcOffsetMs)) return `it is an excluded period, ${periods[i]}`;
    const after = new Array<i32>(this.decisions.length);
    for (let v = 0; v < after.length; v++) after[v] = this.decisions[v].parallelism;
    this.tuneMemory(after);
    const quota = beyondQuota(this.graph, after, this.options);
    return quota.length == 0 ? "" : `the quota does not allow it: ${quota}`;
  }

  /** What the task managers should have then. The host does not act on it: it is told, remembered, and counts for the quota. */
  private tuneMemory(after: i32[]): void {
    const tuning = new Tuning(this.step.config, this.options.taskManagerMemory);
    const job = this.step.analyze.object("job");
    const heap = figure(job, "heapUsedAverage");
    if (!tuning.enabled || tuning.total <= 0 || isNaN(heap)) return;
    const used = new Used(heap, known(figure(job, "metaspaceUsedAverage")), known(figure(job, "managedUsedAverage")));
    const before = new Array<i32>(after.length);
    for (let v = 0; v < before.length; v++) before[v] = this.decisions[v].current;
    const slots = this.options.slotsPerTaskManager;
    const inUse = figure(job, "slotsUsed");
    const now = isNaN(inUse) ? slotsAfter(before, before, -1) : <i32>inUse;
    const fewer = managersFor(now, this.options) / managersFor(slotsAfter(before, after, now), this.options);
    const tuned = tune(this.graph, after, slots, used, fewer, tuning);
    this.options.taskManagerMemory = tuned.total;
    this.memory.tuned = tuned;
    log.info(
      `taskmanager.memory.process.size: ${mebibytes(tuned.total)} would do, with ${mebibytes(tuned.heap)} of heap, ` +
        `${mebibytes(tuned.managed)} managed, ${mebibytes(tuned.network)} for the network and ` +
        `${mebibytes(tuned.metaspace)} of metaspace`,
    );
  }

  private want(v: i32, held: string): void {
    const decision = this.decisions[v];
    const name = this.graph.vertices[v].name;
    if (!decision.known) {
      log.warn(`${name} is left as it is: ${decision.reason.length > 0 ? decision.reason : "there is no data"}`);
      return;
    }
    const moves = decision.parallelism != decision.current;
    if (moves && held.length > 0)
      this.plan.want(name, <f64>decision.current, `${decision.reason}: ${decision.parallelism}, but ${held}`);
    else this.plan.want(name, <f64>decision.parallelism, decision.reason);
  }

  private remember(): void {
    for (let v = 0; v < this.decisions.length; v++) {
      const decision = this.decisions[v];
      if (decision.parallelism == decision.current) continue;
      const rate = this.evaluated[v].trueRate;
      const scaling = new Scaling(this.now, decision.current, decision.parallelism, rate, decision.expected);
      this.memory.add(this.graph.vertices[v].name, scaling, this.now, this.options);
    }
    if (this.options.compat) this.memory.delays.clear();
  }

  private isUnknown(name: string): bool {
    const unknown = this.step.monitor.list("unknown");
    for (let i = 0; i < unknown.length; i++)
      if (unknown[i].asText() == name && !this.graph.vertices[this.graph.place(name)].finished) return true;
    return false;
  }
}

function known(x: f64): f64 {
  return isNaN(x) ? 0 : x;
}

function mebibytes(size: f64): string {
  return `${figureText(Math.ceil(size / 1048576))} MiB`;
}
