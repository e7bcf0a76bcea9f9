import { fail, figure, Node, Observation, Sample, Step, Value } from "@sluice/pdk";
import { KafkaRules, lagOf, limitation, Partition } from "./kafka";
import { exported, Reading } from "./trigger";

/** A trigger as a policy configures it. */
export class Trigger {
  readonly type: string;
  /** What it is called in conditions and in what is remembered. */
  readonly name: string;

  constructor(
    readonly value: Value,
    at: i32,
    private mirrors: bool,
  ) {
    const type = value.text("type");
    this.type = type;
    this.name = value.text("name", `${type}-${at}`);
  }

  /** What it says of a node now. A source that failed, or has nothing, is an error of this trigger alone. */
  read(step: Step, node: Node): Reading {
    const said = step.source(this.value.text("source", this.type));
    const reading = new Reading(this.name);
    if (said.error != "") reading.error = said.error;
    else if (this.type == "kafka") this.readKafka(reading, said, step);
    else if (this.type == "cron") this.readCron(reading, said, step);
    else this.readNumber(reading, samplesOf(said, node.name));
    return reading;
  }

  private readKafka(reading: Reading, said: Observation, step: Step): void {
    const partitions = this.partitions(said, step);
    if (partitions.length == 0) {
      reading.error = `${said.name} has no partitions`;
      return;
    }
    const rules = this.kafkaRules();
    const lag = lagOf(partitions, rules);
    reading.value = this.mirrors ? exported(lag.total) : lag.total;
    reading.target = rules.threshold;
    reading.isActive = lag.isActive;
    reading.says = `${figure(lag.withPersistent)} behind in ${partitions.length} partitions`;
  }

  /** The partitions that count, with what was committed in the pass before. */
  partitions(said: Observation, step: Step): Partition[] {
    const named = limitation(this.value.text("partitionLimitation", ""));
    if (named === null) fail(`${this.value.path}.partitionLimitation: is no list such as 1-4,8`);
    const before = step.carry.object("committed").object(this.name);
    const partitions: Partition[] = [];
    const all = said.partitions;
    for (let i = 0; i < all.length; i++) {
      const topic = all[i].text("topic");
      const id = all[i].whole("partition");
      if (named!.size > 0 && !named!.has(id)) continue;
      const committed = all[i].number("committed", -1);
      const end = all[i].has("end") ? all[i].number("end") : NaN;
      const place = `${topic}/${id}`;
      const last = before.has(place) ? before.number(place) : NaN;
      partitions.push(new Partition(topic, id, committed, end, last));
    }
    return partitions;
  }

  kafkaRules(): KafkaRules {
    const rules = new KafkaRules();
    rules.threshold = this.value.number("lagThreshold", 10);
    rules.activation = this.value.number("activationLagThreshold", 0);
    rules.isEarliest = this.value.text("offsetResetPolicy", "latest") == "earliest";
    rules.scalesToZeroOnInvalidOffset = this.value.flag("scaleToZeroOnInvalidOffset");
    rules.excludesPersistentLag = this.value.flag("excludePersistentLag");
    rules.allowsIdleConsumers = this.value.flag("allowIdleConsumers");
    rules.limitsToPartitionsWithLag = this.value.flag("limitToPartitionsWithLag");
    rules.isEven = this.value.flag("ensureEvenDistributionOfPartitions");
    rules.mirrors = this.mirrors;
    return rules;
  }

  /** So many instances between a start and an end, which the host has worked out. */
  private readCron(reading: Reading, said: Observation, step: Step): void {
    const times = new Map<string, f64>();
    for (let i = 0; i < said.samples.length; i++)
      times.set(said.samples[i].label("edge"), said.samples[i].number);
    const earlier = this.mirrors ? "nextEnd" : "lastEnd";
    const later = this.mirrors ? "nextStart" : "lastStart";
    if (!times.has(earlier) || !times.has(later)) {
      reading.error = `${said.name} does not say ${later} and ${earlier}`;
      return;
    }
    // The original compares what comes next, which is wrong where a start is skipped; what was last is always right.
    reading.isActive = this.mirrors
      ? times.get("nextEnd") <= times.get("nextStart")
      : times.get("lastStart") > times.get("lastEnd");
    reading.value = reading.isActive ? this.value.number("desiredReplicas") : 0;
    reading.says = reading.isActive ? "inside its hours" : "outside its hours";
  }

  /** One number of a source: of a query, or what the host made of several triggers. */
  private readNumber(reading: Reading, samples: Sample[]): void {
    reading.target = this.value.number("threshold", this.value.number("target", 1));
    if (samples.length > 1) {
      reading.error = `${samples.length} series, where one is needed`;
      return;
    }
    if (samples.length == 0) {
      // The original reads nothing as zero, unless it is told not to; here that has to be chosen.
      if (!this.value.flag("ignoreNullValues", this.mirrors)) reading.error = "there is no data";
      reading.says = "no data, which counts as 0";
      return;
    }
    const number = samples[0].number;
    if (number < 0 && !this.mirrors) {
      reading.error = `${figure(number)} is below zero`;
      return;
    }
    const isComposite = this.type == "composite";
    // A composite is cut to thousandths, and a single number rounded to them.
    const cut = isComposite ? Math.floor(number * 1000 + 1e-9) / 1000 : exported(number);
    reading.value = this.mirrors ? cut : number;
    reading.isActive = number > this.value.number("activationThreshold", this.value.number("activationTarget", 0));
    reading.says = `${figure(reading.value)} at ${figure(reading.target)} an instance`;
  }
}

/** The samples of a node; where none says whose it is, those of nobody. */
function samplesOf(said: Observation, node: string): Sample[] {
  const own = said.of(node);
  return own.length > 0 ? own : said.of("");
}
