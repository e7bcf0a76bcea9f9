/** How the partitions of a node are to lie on its instances. */
export enum Alignment {
  /** Any number of instances will do. */
  Off,
  /** No instance more than it takes to have so few partitions on the fullest one. */
  Balanced,
  /** The same number of partitions on every instance. */
  Divisors,
}

/** What a node claims of the budget: the numbers of instances that it can be granted, from its least to what it wants. */
export class Claim {
  /** What it is granted so far. */
  granted: f64;
  /** Whether its next step is more than what is left. */
  isStuck: bool = false;
  /** What it can be granted at most: what it wants, aligned, within its bounds. */
  readonly top: f64;
  private readonly divisors: f64[];
  private stepFrom: f64 = -1;
  private stepTo: f64 = 0;

  constructor(
    readonly name: string,
    /** What it is granted whatever the others want. */
    readonly least: f64,
    /** More it cannot have; at least `least`. */
    readonly most: f64,
    readonly wanted: f64,
    /** How much of the budget one instance takes. */
    readonly cost: f64,
    /** A claim of twice the weight is raised to twice as much. */
    readonly weight: f64,
    /** Partitions; 0 where it has none. */
    readonly partitions: f64,
    readonly alignment: Alignment,
  ) {
    this.granted = least;
    this.divisors = alignment == Alignment.Divisors && partitions > 0 ? divisorsOf(partitions) : [];
    this.top = this.aligned();
  }

  /** The least that it can be granted that is `x` or more; its top where there is none. */
  atLeast(x: f64): f64 {
    if (x <= this.least) return this.least;
    if (x >= this.top) return this.top;
    return Math.min(this.top, this.isAligning ? this.next(Math.ceil(x)) : Math.ceil(x));
  }

  /** What it would be granted next; it is asked for more often than it changes. */
  get step(): f64 {
    if (this.stepFrom != this.granted) {
      this.stepFrom = this.granted;
      this.stepTo = this.atLeast(this.granted + 1);
    }
    return this.stepTo;
  }

  private get isAligning(): bool {
    return this.alignment != Alignment.Off && this.partitions > 0;
  }

  private aligned(): f64 {
    let wanted = Math.min(this.most, this.wanted);
    if (this.isAligning) wanted = Math.min(this.partitions, wanted);
    if (wanted <= this.least) return this.least;
    if (!this.isAligning) return wanted;
    const up = this.next(wanted);
    if (up <= this.most) return up;
    // Of Balanced the next lower number has no more partitions on its fullest instance: nothing is lost.
    const down = this.alignment == Alignment.Balanced ? fewest(this.partitions, wanted) : wanted;
    return Math.max(this.least, down);
  }

  /** The least aligned number that is `from` or more; where there is none, all partitions have an instance of their own. */
  private next(from: f64): f64 {
    if (from >= this.partitions) return this.partitions;
    if (this.alignment == Alignment.Balanced) {
      if (fewest(this.partitions, from) == from) return from;
      return Math.ceil(this.partitions / (Math.ceil(this.partitions / from) - 1));
    }
    let low = 0;
    let high = this.divisors.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.divisors[middle] < from) low = middle + 1;
      else high = middle;
    }
    return this.divisors[low];
  }
}

/** The least number of instances on whose fullest one are no more partitions than with so many. */
function fewest(partitions: f64, instances: f64): f64 {
  return Math.ceil(partitions / Math.ceil(partitions / instances));
}

/** All divisors, rising: for each below the root there is a partner above it. */
function divisorsOf(partitions: f64): f64[] {
  const divisors: f64[] = [];
  const whole = <i32>partitions;
  for (let i = 1; <f64>i * <f64>i <= partitions; i++) if (whole % i == 0) divisors.push(i);
  for (let i = divisors.length - 1; i >= 0; i--) {
    const partner = partitions / divisors[i];
    if (partner > divisors[i]) divisors.push(partner);
  }
  return divisors;
}
