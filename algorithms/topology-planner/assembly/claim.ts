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
  /** The numbers that it can be granted, rising; empty where all whole numbers from its least to its top are. */
  private readonly levels: f64[] = [];

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
    this.top = this.aligned();
    if (this.isAligning && this.top > least) this.climb();
  }

  /** The least that it can be granted that is `x` or more; its top where there is none. */
  atLeast(x: f64): f64 {
    if (x <= this.least) return this.least;
    if (x >= this.top) return this.top;
    if (!this.isAligning) return Math.ceil(x);
    let low = 0;
    let high = this.levels.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.levels[middle] < x) low = middle + 1;
      else high = middle;
    }
    return this.levels[low];
  }

  /** What it would be granted next. */
  get step(): f64 {
    return this.atLeast(this.granted + 1);
  }

  private climb(): void {
    let level = next(this.least + 1, this.partitions, this.alignment);
    while (level < this.top) {
      this.levels.push(level);
      level = next(level + 1, this.partitions, this.alignment);
    }
    this.levels.push(this.top);
  }

  private get isAligning(): bool {
    return this.alignment != Alignment.Off && this.partitions > 0;
  }

  private aligned(): f64 {
    let wanted = Math.min(this.most, this.wanted);
    if (this.isAligning) wanted = Math.min(this.partitions, wanted);
    if (wanted <= this.least) return this.least;
    if (!this.isAligning) return wanted;
    const up = next(wanted, this.partitions, this.alignment);
    if (up <= this.most) return up;
    // Of Balanced the next lower number has no more partitions on its fullest instance: nothing is lost.
    const down = this.alignment == Alignment.Balanced ? fullest(this.partitions, wanted) : wanted;
    return Math.max(this.least, down);
  }
}

/** The least aligned number that is `from` or more; where there is none, all partitions have an instance of their own. */
export function next(from: f64, partitions: f64, alignment: Alignment): f64 {
  if (from <= 1) return 1;
  if (from >= partitions) return partitions;
  if (alignment == Alignment.Balanced) {
    const load = Math.ceil(partitions / from);
    return fullest(partitions, from) == from ? from : Math.ceil(partitions / (load - 1));
  }
  // A divisor of at least `from` has a partner of at most partitions / from: one of the two is below the root.
  const root = Math.floor(Math.sqrt(partitions));
  for (let divisor = from; divisor <= root; divisor++) if (partitions % divisor == 0) return divisor;
  for (let partner = Math.min(root, Math.floor(partitions / from)); partner > 1; partner--)
    if (partitions % partner == 0) return partitions / partner;
  return partitions;
}

/** The least number of instances on whose fullest one are no more partitions than with so many. */
function fullest(partitions: f64, instances: f64): f64 {
  return Math.ceil(partitions / Math.ceil(partitions / instances));
}
