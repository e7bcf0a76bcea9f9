/** One pod of a node, as far as it matters here. Times are seconds since 1970; NaN where there is none. */
export class Pod {
  isKnown: bool = true;
  phase: string = "Running";
  isDeleted: bool = false;
  /** Whether it has a Ready condition, and what that says. */
  hasReadiness: bool = true;
  isReady: bool = true;
  startedAt: f64 = NaN;
  /** When the Ready condition last changed. */
  readinessAt: f64 = NaN;
  /** What it was measured to use, thousandths; false where it was not measured. */
  isMeasured: bool = false;
  usage: i64 = 0;
  measuredAt: f64 = NaN;
  /** Over which time that was measured, seconds. */
  window: f64 = 60;
  /** What it asks for, thousandths; false where nothing was said. */
  hasRequest: bool = false;
  request: i64 = 0;
  /** The containers that ask for something; empty is the pod as a whole. */
  readonly requested: Set<string> = new Set<string>();
  /** A container that uses something and asks for nothing; null where there is none. */
  unrequested: string | null = null;
  group: Group = Group.Ready;

  constructor(readonly name: string) {}
}

/** What a pod counts as. */
export enum Group {
  Ready,
  Unready,
  Missing,
  Ignored,
  /** Measured, and nobody knows of it: the original counts what it uses, and not that it is there. */
  Stranger,
}

/** When a pod's processor time is to be trusted. */
export class Trust {
  constructor(
    readonly now: f64,
    /** Seconds from its start in which a pod may still be warming up. */
    readonly initialization: f64,
    /** Seconds from its start within which a pod becomes ready for the first time. */
    readonly readiness: f64,
  ) {}
}

/** Says of each pod what it counts as. Only processor time is distrusted while a pod starts. */
export function groupPods(pods: Pod[], isProcessor: bool, trust: Trust): void {
  for (let i = 0; i < pods.length; i++) pods[i].group = groupOf(pods[i], isProcessor, trust);
}

/** How many of them count as this. */
export function countOf(pods: Pod[], group: Group): i32 {
  let count = 0;
  for (let i = 0; i < pods.length; i++) if (pods[i].group == group) count++;
  return count;
}

function groupOf(pod: Pod, isProcessor: bool, trust: Trust): Group {
  if (!pod.isKnown) return Group.Stranger;
  if (pod.isDeleted || pod.phase == "Failed") return Group.Ignored;
  if (pod.phase == "Pending") return Group.Unready;
  if (!pod.isMeasured) return Group.Missing;
  return isProcessor && isWarming(pod, trust) ? Group.Unready : Group.Ready;
}

function isWarming(pod: Pod, trust: Trust): bool {
  if (!pod.hasReadiness || isNaN(pod.startedAt)) return true;
  // While it may still start, a sample counts only if all of it was measured after the pod became ready.
  if (pod.startedAt + trust.initialization > trust.now)
    return !pod.isReady || pod.measuredAt < pod.readinessAt + pod.window;
  // Later only a pod that never was ready is left out.
  return !pod.isReady && pod.startedAt + trust.readiness > pod.readinessAt;
}

/** Pods that run and are ready: what a figure for all of them is divided by. */
export function serving(pods: Pod[]): i32 {
  let count = 0;
  for (let i = 0; i < pods.length; i++) {
    const pod = pods[i];
    if (pod.phase == "Running" && pod.hasReadiness && pod.isReady) count++;
  }
  return count;
}
