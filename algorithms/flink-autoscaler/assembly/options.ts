import { fail, Value } from "@sluice/pdk";
import { bytes, milliseconds } from "./units";

/** What is not set, where a number is. */
export const UNSET: f64 = NaN;

/** The options of Flink's autoscaler, by their own names without the prefix, each with upstream's default. */
export class Options {
  /** Whether upstream's weaknesses are mirrored rather than corrected. */
  compat: bool = false;
  scalingEnabled: bool = true;
  windowMs: f64 = 900_000;
  stabilizationMs: f64 = 300_000;
  excludedPeriods: string[] = [];
  utcOffsetMs: f64 = 0;
  utilizationTarget: f64 = 0.7;
  utilizationBoundary: f64 = 0.3;
  utilizationMax: f64 = UNSET;
  utilizationMin: f64 = UNSET;
  scaleDownIntervalMs: f64 = 3_600_000;
  vertexMin: i32 = 1;
  vertexMax: i32 = 200;
  scaleDownMaxFactor: f64 = 0.6;
  scaleUpMaxFactor: f64 = 100_000;
  excludedVertices: string[] = [];
  catchUpMs: f64 = 1_800_000;
  restartMs: f64 = 300_000;
  restartTracked: bool = false;
  restartLimitMs: f64 = 900_000;
  backlogLagMs: f64 = 300_000;
  observedLagMs: f64 = 30_000;
  observedSwitch: f64 = 0.15;
  observedLeast: i32 = 2;
  /** How the busy times of a vertex's instances become one: MAX, AVG or MIN. */
  aggregator: string = "MAX";
  effectivenessDetected: bool = false;
  effectivenessThreshold: f64 = 0.1;
  scalabilityObserved: bool = false;
  scalabilityLeast: i32 = 3;
  coefficientMin: f64 = 0.5;
  gcThreshold: f64 = 1;
  heapThreshold: f64 = 1;
  quotaCpu: f64 = UNSET;
  quotaMemory: f64 = UNSET;
  slotsPerTaskManager: i32 = 1;
  taskManagerCpu: f64 = 0;
  taskManagerMemory: f64 = 0;
  historyCount: i32 = 3;
  historyAgeMs: f64 = 86_400_000;
  /** BALANCED, EVENLY_SPREAD or OFF; the deprecated option's are LEGACY_EVENLY_SPREAD and LEGACY_MAXIMIZE_UTILISATION. */
  alignment: string = "BALANCED";

  /** Reads what a policy configures. Fails on what does not fit together, with the option's name. */
  static of(config: Value): Options {
    const options = new Options();
    options.compat = config.text("compat", "") == "flink";
    options.readWindow(config);
    options.readUtilization(config);
    options.readRestart(config);
    options.readObservation(config);
    options.readResources(config);
    options.alignment = alignmentOf(config);
    options.check();
    return options;
  }

  get catchUpSeconds(): f64 {
    return Math.floor(this.catchUpMs / 1000);
  }

  /** Above this utilisation a vertex is scaled up. */
  get upperUtilization(): f64 {
    return isNaN(this.utilizationMax) ? this.utilizationTarget + this.utilizationBoundary : this.utilizationMax;
  }

  /** Below this utilisation a vertex is scaled down. */
  get lowerUtilization(): f64 {
    return isNaN(this.utilizationMin) ? this.utilizationTarget - this.utilizationBoundary : this.utilizationMin;
  }

  private readWindow(config: Value): void {
    this.scalingEnabled = config.flag("scaling.enabled", true);
    this.windowMs = duration(config, "metrics.window", this.windowMs);
    this.stabilizationMs = duration(config, "stabilization.interval", this.stabilizationMs);
    this.excludedPeriods = texts(config, "excluded.periods");
    this.utcOffsetMs = config.number("utcOffsetMinutes", 0) * 60_000;
    this.excludedVertices = texts(config, "vertex.exclude.ids");
    this.historyCount = config.whole("history.max.count", this.historyCount);
    this.historyAgeMs = duration(config, "history.max.age", this.historyAgeMs);
  }

  private readUtilization(config: Value): void {
    const old = config.number("target.utilization", this.utilizationTarget);
    this.utilizationTarget = config.number("utilization.target", old);
    this.utilizationBoundary = config.number("target.utilization.boundary", this.utilizationBoundary);
    if (config.has("utilization.max")) this.utilizationMax = config.number("utilization.max");
    if (config.has("utilization.min")) this.utilizationMin = config.number("utilization.min");
    const grace = duration(config, "scale-up.grace-period", this.scaleDownIntervalMs);
    this.scaleDownIntervalMs = duration(config, "scale-down.interval", grace);
    this.vertexMin = config.whole("vertex.min-parallelism", this.vertexMin);
    this.vertexMax = config.whole("vertex.max-parallelism", this.vertexMax);
    this.scaleDownMaxFactor = config.number("scale-down.max-factor", this.scaleDownMaxFactor);
    this.scaleUpMaxFactor = config.number("scale-up.max-factor", this.scaleUpMaxFactor);
  }

  private readRestart(config: Value): void {
    this.catchUpMs = duration(config, "catch-up.duration", this.catchUpMs);
    this.restartMs = duration(config, "restart.time", this.restartMs);
    this.restartTracked = config.flag("restart.time-tracking.enabled", false);
    this.restartLimitMs = duration(config, "restart.time-tracking.limit", this.restartLimitMs);
    this.backlogLagMs = duration(config, "backlog-processing.lag-threshold", this.backlogLagMs);
  }

  private readObservation(config: Value): void {
    const observed = "observed-true-processing-rate.";
    this.observedLagMs = duration(config, `${observed}lag-threshold`, this.observedLagMs);
    this.observedSwitch = config.number(`${observed}switch-threshold`, this.observedSwitch);
    this.observedLeast = config.whole(`${observed}min-observations`, this.observedLeast);
    this.aggregator = config.text("metrics.busy-time.aggregator", this.aggregator);
    this.effectivenessDetected = config.flag("scaling.effectiveness.detection.enabled", false);
    this.effectivenessThreshold = config.number("scaling.effectiveness.threshold", this.effectivenessThreshold);
    this.scalabilityObserved = config.flag("observed-scalability.enabled", false);
    this.scalabilityLeast = config.whole("observed-scalability.min-observations", this.scalabilityLeast);
    this.coefficientMin = config.number("observed-scalability.coefficient-min", this.coefficientMin);
  }

  private readResources(config: Value): void {
    this.gcThreshold = config.number("memory.gc-pressure.threshold", this.gcThreshold);
    this.heapThreshold = config.number("memory.heap-usage.threshold", this.heapThreshold);
    if (config.has("quota.cpu")) this.quotaCpu = config.number("quota.cpu");
    if (config.has("quota.memory")) this.quotaMemory = size(config, "quota.memory");
    this.slotsPerTaskManager = config.whole("taskmanager.numberOfTaskSlots", 1);
    this.taskManagerCpu = config.number("taskManager.cpu", 0);
    if (config.has("taskManager.memory")) this.taskManagerMemory = size(config, "taskManager.memory");
    if (config.has("taskmanager.memory.process.size"))
      this.taskManagerMemory = size(config, "taskmanager.memory.process.size");
  }

  private check(): void {
    if (this.slotsPerTaskManager < 1) fail("config.taskmanager.numberOfTaskSlots: has to be at least 1");
    if (this.compat) return;
    if (this.vertexMin > this.vertexMax)
      fail(`config.vertex.min-parallelism: ${this.vertexMin} is above vertex.max-parallelism, ${this.vertexMax}`);
    const target = this.utilizationTarget;
    if (this.utilizationMax < target)
      fail(`config.utilization.max: ${this.utilizationMax} is below utilization.target, ${target}`);
    if (this.utilizationMin > target)
      fail(`config.utilization.min: ${this.utilizationMin} is above utilization.target, ${target}`);
  }
}

/** The deprecated option counts only where the new one is not set. */
function alignmentOf(config: Value): string {
  if (config.has("scaling.parallelism-alignment.mode")) return config.text("scaling.parallelism-alignment.mode");
  const deprecated = "scaling.key-group.partitions.adjust.mode";
  return config.has(deprecated) ? `LEGACY_${config.text(deprecated)}` : "BALANCED";
}

function duration(config: Value, name: string, preset: f64): f64 {
  return config.has(name) ? milliseconds(config.text(name), name) : preset;
}

function size(config: Value, name: string): f64 {
  return bytes(config.text(name), name);
}

function texts(config: Value, name: string): string[] {
  const list = config.list(name);
  const texts = new Array<string>(list.length);
  for (let i = 0; i < list.length; i++) texts[i] = list[i].asText();
  return texts;
}
