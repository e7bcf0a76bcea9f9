import { figure, Node, Observation, seconds, Step, Value } from "@sluice/pdk";
import { forAverage, forPods, forValue, Origin, PodTarget } from "./calculator";
import { measure, Pods, podsOf, request, samplesOf, Strangers, Subject } from "./observe";
import { Group, groupPods, Pod, serving, Trust } from "./pods";
import { milliOf } from "./quantity";
import { Proposal, Rules } from "./rules";

/** A metric as a HorizontalPodAutoscaler has it under `spec.metrics`. */
export class Metric {
  readonly type: string;
  /** What stands under the type's own name. */
  private spec: Value;
  private target: Value;

  constructor(readonly value: Value) {
    const type = value.text("type");
    const spec = value.object(type.substring(0, 1).toLowerCase() + type.substring(1));
    this.type = type;
    this.spec = spec;
    this.target = spec.object("target");
  }

  /** The resource's name or the metric's. */
  get name(): string {
    return this.spec.text("name", this.spec.object("metric").text("name", this.type));
  }

  /** Where it is read. */
  get source(): string {
    return this.value.text("source", this.name);
  }

  /** Whether it is a figure for all pods together, which there is also where no pod is. */
  get isOfAll(): bool {
    return this.type == "Object" || this.type == "External";
  }

  /** Why it does not count, as the original calls it. */
  get reason(): string {
    return this.isKnown ? `FailedGet${this.type}Metric` : "InvalidMetricSourceType";
  }

  /** What it asks for. Nothing where its source has no figure: that is an error of this metric, and not of the step. */
  propose(step: Step, config: Value, node: Node, rules: Rules): Proposal {
    if (!this.isKnown) return Proposal.failed(`invalid metric source type "${this.type}"`);
    const said = step.source(this.source);
    if (said.error != "") return Proposal.failed(said.error);
    const pods = podsOf(step, config, node);
    const proposal = this.isOfAll
      ? this.ofAll(said, pods, node, rules)
      : this.ofPods(step, config, said, pods, node, rules);
    if (proposal.error == "") proposal.says = this.spell(proposal, rules);
    return proposal;
  }

  private get isKnown(): bool {
    const isOfPods = this.type == "Resource" || this.type == "ContainerResource" || this.type == "Pods";
    return isOfPods || this.isOfAll;
  }

  private ofPods(
    step: Step,
    config: Value,
    said: Observation,
    pods: Pods,
    node: Node,
    rules: Rules,
  ): Proposal {
    const resource = this.type == "Pods" ? "" : this.name;
    const subject = new Subject(resource, this.spec.text("container", ""));
    const target = this.podTarget();
    const others = rules.mirrors ? Strangers.AreCounted : Strangers.AreLeftOut;
    const strangers = pods.all.length > 0 ? others : Strangers.AreKnown;
    if (target.isShare) {
      const requests = samplesOf(step.source(config.text("requests", "requests")), node.name);
      request(pods, requests, subject);
    }
    const samples = samplesOf(said, node.name);
    if (samples.length == 0)
      return Proposal.failed(`unable to get metrics for ${this.subjectName(resource)}: no metrics returned`);
    measure(pods, samples, subject, strangers);
    const below = belowZero(pods.all);
    if (!rules.mirrors && below != "") return Proposal.failed(below);
    const trust = new Trust(
      seconds(step.time),
      config.number("cpuInitializationPeriodSeconds", 300),
      config.number("initialReadinessDelaySeconds", 30),
    );
    groupPods(pods.all, resource == "cpu", trust);
    const lacks = target.isShare ? withoutRequest(pods.all, resource, rules) : "";
    return lacks == "" ? forPods(pods.all, target, rules) : Proposal.failed(lacks);
  }

  private ofAll(said: Observation, pods: Pods, node: Node, rules: Rules): Proposal {
    const samples = samplesOf(said, node.name);
    if (samples.length == 0) return Proposal.failed(`no metrics returned for ${this.name}`);
    let usage: i64 = 0;
    let isTooMuch = false;
    for (let i = 0; i < samples.length; i++) {
      const figure = milliOf(samples[i].value.field("value"));
      if (figure < 0 && !rules.mirrors) return Proposal.failed(`${this.name} is below zero`);
      isTooMuch = isTooMuch || (figure > 0 && usage > i64.MAX_VALUE - figure);
      usage = isTooMuch ? i64.MAX_VALUE : usage + figure;
    }
    if (this.target.has("averageValue")) {
      const origin = this.type == "Object" ? Origin.Object : Origin.External;
      return forAverage(usage, milliOf(this.target.field("averageValue")), origin, isTooMuch, rules);
    }
    const ready = pods.all.length > 0 ? serving(pods.all) : node.ready;
    return forValue(usage, milliOf(this.target.field("value")), ready, rules);
  }

  private podTarget(): PodTarget {
    if (this.target.has("averageUtilization"))
      return new PodTarget(this.target.whole("averageUtilization"), 0);
    return new PodTarget(0, milliOf(this.target.field("averageValue")));
  }

  private subjectName(resource: string): string {
    return resource == "" ? `metric ${this.name}` : `resource ${resource}`;
  }

  private spell(proposal: Proposal, rules: Rules): string {
    const wants = `${this.name} wants ${proposal.replicas.toString().replace(".0", "")}`;
    const from = rules.current;
    if (proposal.utilization >= 0)
      return `${wants} (${proposal.utilization} % used, target ${this.target.whole("averageUtilization")} %, ${from} now)`;
    const isMean = this.target.has("averageValue");
    const target = milliOf(this.target.field(isMean ? "averageValue" : "value"));
    const each = isMean ? " each" : "";
    return `${wants} (${thousandths(proposal.usage)}${each}, target ${thousandths(target)}${each}, ${from} now)`;
  }
}

const thousandths = (x: i64): string => figure(<f64>x / 1000);

/** Why a share of requests cannot be told; empty if it can. */
function withoutRequest(pods: Pod[], resource: string, rules: Rules): string {
  for (let i = 0; i < pods.length; i++) {
    const pod = pods[i];
    if (!pod.isKnown || (pod.group == Group.Ignored && !rules.mirrors)) continue;
    const container = pod.unrequested;
    if (container !== null) return `missing request for ${resource} in container ${container} of pod ${pod.name}`;
    if (!pod.hasRequest) return `missing request for ${resource} of pod ${pod.name}`;
  }
  return "";
}

/** Which pod is said to use less than nothing; empty if none is. */
function belowZero(pods: Pod[]): string {
  for (let i = 0; i < pods.length; i++)
    if (pods[i].usage < 0) return `pod ${pods[i].name} is said to use less than nothing`;
  return "";
}
