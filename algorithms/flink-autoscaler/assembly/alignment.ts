import { HASH } from "./graph";

/** What a parallelism is aligned to, and between which bounds. */
export class Alignment {
  constructor(
    readonly mode: string,
    readonly current: i32,
    /** Key groups or partitions; more instances than this have nothing to do. */
    readonly parts: i32,
    readonly least: i32,
    /** Neither the bounds nor the max parallelism allow more. */
    readonly most: i32,
  ) {}

  /** Whether the parallelism differs from what was asked for because nothing aligned was found in its direction. */
  limited: bool = false;

  /**
   * The first parallelism from `target` up, and never past the current one on the way down, that shares its parts evenly, or,
   * as the mode has it, with fewer parts an instance. Without one it is the target; the deprecated modes look further.
   */
  align(target: i32): i32 {
    if (this.mode == "OFF" || (target == this.current && this.isLegacy)) return target;
    const found = this.above(target);
    if (found > 0) return found;
    return this.isLegacy ? this.below(target) : target;
  }

  private get isLegacy(): bool {
    return this.mode.startsWith("LEGACY_");
  }

  private above(target: i32): i32 {
    const uneven = this.mode != "EVENLY_SPREAD" && this.mode != "LEGACY_EVENLY_SPREAD";
    const most = min(this.parts, this.most);
    const end = target > this.current ? most : min(this.current, most);
    for (let p = max(1, target); p <= end; p++) {
      if (this.parts % p == 0 || (uneven && this.parts / p < this.parts / target)) return p;
    }
    return 0;
  }

  /** Downwards to where an instance would have more parts; kept as it is where that would turn up into down, or down into up. */
  private below(target: i32): i32 {
    let p = target;
    while (p > 0 && this.parts / p <= this.parts / target) p--;
    if (p > 0 && this.parts % p != 0) p++;
    p = max(p, this.least);
    const turns = target > this.current ? p <= this.current : p >= this.current;
    this.limited = turns || p != target;
    return turns ? this.current : p;
  }
}

/** What a vertex is aligned to: its partitions; its key groups where records come by key; 0 where any number will do, or none is known. */
export function partsOf(partitions: i32, strategies: string[], maxParallelism: i32): i32 {
  if (partitions > 0) return partitions;
  return strategies.includes(HASH) && maxParallelism < i32.MAX_VALUE ? maxParallelism : 0;
}
