import { fail, Node, Observation, Sample, seconds, Step, Value } from "@sluice/pdk";
import { Pod } from "./pods";
import { milliOf } from "./quantity";

/** The pods of a node, by name. */
export class Pods {
  readonly all: Pod[] = [];
  private byName: Map<string, i32> = new Map<string, i32>();

  get(name: string): Pod {
    if (!this.byName.has(name)) {
      this.byName.set(name, this.all.length);
      this.all.push(new Pod(name));
    }
    return this.all[this.byName.get(name)];
  }

  has(name: string): bool {
    return this.byName.has(name);
  }
}

/** The samples of a source that are of a node; where no sample says whose it is, all of them. */
export function samplesOf(said: Observation, node: string): Sample[] {
  const own = said.of(node);
  return own.length > 0 ? own : said.of("");
}

/** The pods of a node as the source of pods has them; none where there is no such source. */
export function podsOf(step: Step, config: Value, node: Node): Pods {
  const pods = new Pods();
  const name = config.text("pods", "pods");
  if (!step.value.object("sources").has(name)) return pods;
  const samples = samplesOf(step.source(name), node.name);
  for (let i = 0; i < samples.length; i++) describe(pods.get(podOf(samples[i])), samples[i]);
  return pods;
}

function describe(pod: Pod, sample: Sample): void {
  const phase = sample.label("phase");
  if (phase != "") pod.phase = phase;
  pod.isDeleted = sample.label("deleted") == "true";
  const ready = sample.label("ready");
  pod.hasReadiness = ready != "";
  pod.isReady = ready == "true";
  pod.startedAt = timeOf(sample.label("started"));
  pod.readinessAt = timeOf(sample.label("readySince"));
}

/** Seconds since 1970, or an instant as RFC 3339 has it; NaN where nothing is said. */
function timeOf(text: string): f64 {
  if (text == "") return NaN;
  return text.includes("T") ? seconds(text) : parseFloat(text);
}

/** What a metric of pods is about. */
export class Subject {
  constructor(
    /** A resource such as `cpu`; empty where it is a metric of the application's own. */
    readonly resource: string,
    /** One container of each pod; empty means all of them together. */
    readonly container: string,
  ) {}
}

/** Adds what each pod's containers ask for. A sample without a container is what the pod asks for as a whole. */
export function request(pods: Pods, samples: Sample[], subject: Subject): void {
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i];
    const resource = sample.label("resource");
    if (resource != "" && resource != subject.resource) continue;
    const pod = pods.get(podOf(sample));
    const container = sample.label("container");
    pod.requested.add(container);
    if (subject.container != "" && container != subject.container) continue;
    pod.request += milliOf(sample.value.field("value"));
    pod.hasRequest = true;
  }
}

/** Which pods are known, and what is done with others that were measured. */
export enum Strangers {
  /** Nobody said which pods there are: every measured one serves. */
  AreKnown,
  AreLeftOut,
  AreCounted,
}

/** Adds what each pod's containers use. */
export function measure(pods: Pods, samples: Sample[], subject: Subject, strangers: Strangers): void {
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i];
    const name = podOf(sample);
    const isStranger = strangers != Strangers.AreKnown && !pods.has(name);
    if (isStranger && strangers == Strangers.AreLeftOut) continue;
    const pod = pods.get(name);
    if (isStranger) pod.isKnown = false;
    const container = sample.label("container");
    if (subject.container != "" && container != subject.container) continue;
    if (!pod.requested.has(container) && !pod.requested.has("")) pod.unrequested = container;
    pod.usage += milliOf(sample.value.field("value"));
    pod.isMeasured = true;
    pod.measuredAt = seconds(sample.time);
    const window = sample.label("window");
    if (window != "") pod.window = parseFloat(window);
  }
}

function podOf(sample: Sample): string {
  const name = sample.label("pod");
  if (name == "")
    fail(`${sample.value.path}.labels.pod: is missing: a sample of pods has to say which pod it is of`);
  return name;
}
