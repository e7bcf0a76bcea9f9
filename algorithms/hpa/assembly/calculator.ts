import { ceil, int32 } from "./quantity";
import { countOf, Group, Pod } from "./pods";
import { Proposal, Rules } from "./rules";

const NO_PODS = "no pods returned by selector while calculating replica count";
const NO_SAMPLES = "did not receive metrics for targeted pods (pods might be unready)";

/** What pods of a group are taken to use, where they are counted at all: nothing, or what the target allows. */
enum Assumed {
  Nothing,
  Target,
}

/** The measured pods together, with what is assumed of others. */
class Sum {
  usage: i64 = 0;
  requests: i64 = 0;
  pods: i32 = 0;

  add(usage: i64, request: i64): void {
    this.usage += usage;
    this.requests += request;
    this.pods++;
  }
}

/** Of how much each pod may use: a share of its request, or so much. */
export class PodTarget {
  constructor(
    /** Percent of the request; 0 where the target is a figure. */
    readonly utilization: i32,
    /** Thousandths a pod; 0 where the target is a percentage. */
    readonly average: i64,
  ) {}

  get isShare(): bool {
    return this.utilization > 0;
  }

  /** What a pod that was not measured is taken to use where fewer pods are wanted: exactly its target, or all it asked for. */
  assumed(pod: Pod): i64 {
    if (!this.isShare) return this.average;
    return (pod.request * <i64>max(100, this.utilization)) / 100;
  }

  ratio(sum: Sum, mirrors: bool): f64 {
    if (!this.isShare) {
      const mean = mirrors ? <f64>(sum.usage / <i64>sum.pods) : <f64>sum.usage / <f64>sum.pods;
      return mean / <f64>this.average;
    }
    // The original cuts off what is less than a percent.
    const share = mirrors ? <f64>percent(sum) : (<f64>sum.usage / <f64>sum.requests) * 100;
    return share / <f64>this.utilization;
  }
}

const percent = (sum: Sum): i32 => <i32>((sum.usage * 100) / sum.requests);

/** How many pods a metric of every single pod asks for. `pods` are grouped, and those that count have a figure. */
export function forPods(pods: Pod[], target: PodTarget, rules: Rules): Proposal {
  if (pods.length == countOf(pods, Group.Stranger)) return Proposal.failed(NO_PODS);
  const measured = sumOf(pods, target);
  if (countMeasured(pods) == 0) return Proposal.failed(NO_SAMPLES);
  if (target.isShare && measured.requests == 0) return Proposal.failed("no metrics returned matched known pods");
  const ratio = target.ratio(measured, rules.mirrors);
  const proposal = new Proposal();
  proposal.usage = measured.usage / <i64>measured.pods;
  if (target.isShare) proposal.utilization = percent(measured);
  proposal.replicas = wanted(pods, target, rules, measured, ratio);
  return proposal;
}

function wanted(pods: Pod[], target: PodTarget, rules: Rules, measured: Sum, ratio: f64): f64 {
  const ready = countOf(pods, Group.Ready);
  const unready = countOf(pods, Group.Unready);
  const missing = countOf(pods, Group.Missing);
  const current = <f64>rules.current;
  const isHot = unready > 0 && ratio > 1;
  if (!isHot && missing == 0)
    return rules.tolerance.holds(ratio) ? current : rounded(ratio * <f64>ready, rules);
  const all = new Sum();
  all.add(measured.usage, measured.requests);
  all.pods = measured.pods;
  if (missing > 0) assumeMissing(all, pods, target, ratio);
  if (isHot) assume(all, pods, target, Group.Unready, Assumed.Nothing);
  const careful = target.ratio(all, rules.mirrors);
  const turns = (ratio < 1 && careful > 1) || (ratio > 1 && careful < 1);
  if (rules.tolerance.holds(careful) || turns) return current;
  const count = rounded(careful * <f64>all.pods, rules);
  const isAgainst = (careful < 1 && count > current) || (careful > 1 && count < current);
  return isAgainst ? current : count;
}

/** Where less is used than wanted, pods that were not measured are taken to use what they may; where more is, nothing. */
function assumeMissing(all: Sum, pods: Pod[], target: PodTarget, ratio: f64): void {
  if (ratio < 1) assume(all, pods, target, Group.Missing, Assumed.Target);
  else if (ratio > 1) assume(all, pods, target, Group.Missing, Assumed.Nothing);
}

function assume(all: Sum, pods: Pod[], target: PodTarget, group: Group, assumed: Assumed): void {
  for (let i = 0; i < pods.length; i++) {
    const pod = pods[i];
    if (pod.group == group) all.add(assumed == Assumed.Target ? target.assumed(pod) : 0, pod.request);
  }
}

/** Of pods that were measured and count; where a share is asked, of those whose request is known. */
function sumOf(pods: Pod[], target: PodTarget): Sum {
  const sum = new Sum();
  for (let i = 0; i < pods.length; i++) {
    const pod = pods[i];
    if (pod.group != Group.Ready && pod.group != Group.Stranger) continue;
    if (!target.isShare || pod.hasRequest) sum.add(pod.usage, pod.request);
  }
  return sum;
}

const countMeasured = (pods: Pod[]): i32 => countOf(pods, Group.Ready) + countOf(pods, Group.Stranger);

const rounded = (x: f64, rules: Rules): f64 => int32(ceil(x, rules.mirrors), !rules.mirrors);

/** Where a figure for all pods together comes from. The two differ in what is done with the largest numbers. */
export enum Origin {
  Object,
  External,
}

/** How many pods a figure for all of them asks for, whose target is for all of them too. `serving` pods share it now. */
export function forValue(usage: i64, target: i64, serving: i32, rules: Rules): Proposal {
  const proposal = new Proposal();
  proposal.usage = usage;
  const ratio = <f64>usage / <f64>target;
  if (rules.current == 0) proposal.replicas = saturated(ceil(ratio, rules.mirrors));
  else if (rules.tolerance.holds(ratio)) proposal.replicas = rules.current;
  else if (serving == 0 && !rules.mirrors) return Proposal.failed("no pod is ready, so nobody can say what one does");
  else proposal.replicas = saturated(ceil(ratio * <f64>serving, rules.mirrors));
  return proposal;
}

/**
 * How many pods a figure for all of them asks for, of which each may have so much. The original takes an external figure
 * below zero for one that is too large; `isTooMuch` says that it really was.
 */
export function forAverage(usage: i64, target: i64, origin: Origin, isTooMuch: bool, rules: Rules): Proposal {
  const proposal = new Proposal();
  if (rules.mirrors && origin == Origin.External && (isTooMuch || usage < 0)) {
    proposal.replicas = 2147483647;
    proposal.usage = i64.MAX_VALUE;
    return proposal;
  }
  const base = rules.mirrors ? rules.status : rules.current;
  const ratio = <f64>usage / (<f64>target * <f64>base);
  proposal.replicas = base;
  if (!rules.tolerance.holds(ratio)) {
    const count = ceil(<f64>usage / <f64>target, rules.mirrors);
    proposal.replicas = origin == Origin.External ? saturated(count) : int32(count, !rules.mirrors);
  }
  proposal.usage = meanOf(usage, base, rules);
  return proposal;
}

/** The mean, rounded up. The original divides by no pods at all, and says what its processor makes of that. */
function meanOf(figure: i64, pods: i32, rules: Rules): i64 {
  if (pods == 0) return rules.mirrors ? i64.MIN_VALUE : figure;
  const mean = Math.ceil(<f64>figure / <f64>pods);
  return mean >= 9223372036854775808.0 ? i64.MAX_VALUE : <i64>mean;
}

const saturated = (x: f64): f64 => int32(x, true);
