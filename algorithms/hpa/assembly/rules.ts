/** How far from its target a figure may be before anything changes, up and down apart, as shares of the target. */
export class Tolerance {
  constructor(
    readonly up: f64,
    readonly down: f64,
  ) {}

  /** Whether a ratio to the target is as good as one. */
  holds(ratio: f64): bool {
    return 1 - this.down <= ratio && ratio <= 1 + this.up;
  }
}

/** What holds for all metrics of a node. */
export class Rules {
  constructor(
    readonly tolerance: Tolerance,
    /** Does what the original does, also where that is wrong. */
    readonly mirrors: bool,
    /** How many pods are asked for now. */
    readonly current: i32,
    /** How many there were when the workload last said. */
    readonly status: i32,
  ) {}
}

/** What one metric asks for, or why it asks for nothing. */
export class Proposal {
  replicas: f64 = 0;
  /** Its measured figure in thousandths: the mean of a pod, or the whole where the target is for all of them. */
  usage: i64 = 0;
  /** Percent of what is requested; -1 where the target is no percentage. */
  utilization: i32 = -1;
  /** How it came about, for people. */
  says: string = "";
  error: string = "";
  /** What the original calls that it failed. */
  reason: string = "";
  /** The metric's name. */
  name: string = "";

  static failed(error: string): Proposal {
    const proposal = new Proposal();
    proposal.error = error;
    return proposal;
  }
}
