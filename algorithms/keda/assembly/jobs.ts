import { Reading } from "./trigger";

/** What a ScaledJob is to create. */
export class JobPlan {
  constructor(
    /** Jobs to create now; below zero where there are too many. */
    readonly create: f64,
    /** Up to how many the original lets a pass go. */
    readonly scaleTo: f64,
  ) {}
}

/** How many jobs there are, and may be. */
export class Jobs {
  constructor(
    readonly running: f64,
    readonly pending: f64,
    readonly most: f64,
  ) {}
}

/** How many jobs are to be created for `wanted` that there is work for. */
export function jobPlan(
  strategy: string,
  wanted: f64,
  jobs: Jobs,
  deduction: f64,
  percentage: f64,
  scaleTo: f64,
): JobPlan {
  const running = jobs.running;
  const pending = jobs.pending;
  const most = jobs.most;
  if (strategy == "custom")
    return new JobPlan(Math.min(wanted - deduction - Math.trunc(running * percentage), most), scaleTo);
  if (strategy == "accurate") return new JobPlan(Math.min(most - running, wanted - pending), scaleTo);
  if (strategy == "eager") return new JobPlan(Math.min(most - running - pending, wanted), most);
  return new JobPlan(Math.min(most, wanted) - running, scaleTo);
}

/** What several triggers come to for jobs: of those that are active the most, the least, the mean or the sum. */
export class Joined {
  length: f64 = 0;
  wanted: f64 = 0;
  isActive: bool = false;
}

/** Joins what triggers say. */
export function joined(readings: Reading[], calculation: string): Joined {
  const all = new Joined();
  let active = 0;
  for (let i = 0; i < readings.length; i++) {
    const one = readings[i];
    if (one.error != "" || !one.isActive) continue;
    const wanted = one.replicas;
    const isFirst = active == 0;
    active++;
    all.isActive = true;
    if (calculation == "sum" || calculation == "avg") add(all, one.value, wanted);
    else if (calculation == "min") keep(all, one.value, wanted, isFirst || wanted < all.wanted);
    else keep(all, one.value, wanted, isFirst || wanted > all.wanted);
  }
  if (calculation == "avg" && active > 0) {
    all.length /= <f64>active;
    all.wanted = Math.ceil(all.wanted / <f64>active);
  }
  return all;
}

function add(all: Joined, length: f64, wanted: f64): void {
  all.length += length;
  all.wanted += wanted;
}

function keep(all: Joined, length: f64, wanted: f64, isBetter: bool): void {
  if (!isBetter) return;
  all.length = length;
  all.wanted = wanted;
}
