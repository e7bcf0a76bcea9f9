/** One partition as a consumer group sees it. */
export class Partition {
  lag: f64 = 0;
  /** With what the group leaves lying. */
  lagWithPersistent: f64 = 0;

  constructor(
    readonly topic: string,
    readonly id: i32,
    /** The offset that the group has committed; -1 before its first. */
    readonly committed: f64,
    /** The offset after the last record; NaN where the broker did not say. */
    readonly end: f64,
    /** What was committed in the pass before; NaN where that is not known. */
    readonly before: f64,
  ) {}
}

/** How lag is counted, as the original's trigger metadata has it. */
export class KafkaRules {
  threshold: f64 = 10;
  activation: f64 = 0;
  isEarliest: bool = false;
  scalesToZeroOnInvalidOffset: bool = false;
  excludesPersistentLag: bool = false;
  allowsIdleConsumers: bool = false;
  limitsToPartitionsWithLag: bool = false;
  isEven: bool = false;
  /** Does what the original does, also where that is wrong. */
  mirrors: bool = false;
}

/** How much lies before the group, as far as its consumers can share it. */
export class Lag {
  constructor(
    readonly total: f64,
    readonly withPersistent: f64,
    readonly isActive: bool,
  ) {}
}

/** The lag of a group: that of each partition, all together, and no more than so many consumers can work on. */
export function lagOf(partitions: Partition[], rules: KafkaRules): Lag {
  let total: f64 = 0;
  let all: f64 = 0;
  let lagging = 0;
  for (let i = 0; i < partitions.length; i++) {
    const one = partitions[i];
    count(one, rules);
    total += one.lag;
    all += one.lagWithPersistent;
    if (one.lag > 0) lagging++;
  }
  const bound = rules.limitsToPartitionsWithLag ? lagging : partitions.length;
  return new Lag(shared(total, partitions.length, bound, rules), all, all > rules.activation);
}

function count(one: Partition, rules: KafkaRules): void {
  const lag = behind(one, rules);
  // A topic that was made again ends before what was committed: that is no lag, and takes nothing from other partitions.
  const whole = rules.mirrors ? lag : Math.max(0, lag);
  const isPersistent = rules.excludesPersistentLag && one.committed >= 0 && one.committed == one.before;
  one.lagWithPersistent = whole;
  one.lag = isPersistent ? 0 : whole;
}

function behind(one: Partition, rules: KafkaRules): f64 {
  if (one.committed < 0) {
    if (rules.scalesToZeroOnInvalidOffset) return 0;
    if (!rules.isEarliest) return 1;
    return isNaN(one.end) ? 0 : one.end;
  }
  return isNaN(one.end) ? 0 : one.end - one.committed;
}

function shared(total: f64, partitions: i32, bound: i32, rules: KafkaRules): f64 {
  const threshold = rules.threshold;
  if (rules.isEven) total = even(total, partitions, rules);
  if (rules.allowsIdleConsumers && !rules.isEven && !rules.limitsToPartitionsWithLag) return total;
  const consumers = rules.mirrors ? Math.trunc(total / threshold) : total / threshold;
  return consumers > <f64>bound ? <f64>bound * threshold : total;
}

/**
 * So much that every consumer gets as many partitions as any other. The original takes the next divisor of their number
 * also where nothing lies there, and where that is very many more than are needed.
 */
function even(total: f64, partitions: i32, rules: KafkaRules): f64 {
  if (total <= 0 && !rules.mirrors) return 0;
  const factor = nextFactor(total, partitions, rules.threshold);
  const needed = Math.ceil(total / rules.threshold);
  if (!rules.mirrors && <f64>factor > 2 * needed) return total;
  return <f64>factor * rules.threshold;
}

/** The smallest divisor of the number of partitions that is enough for the lag; all of them if none is. */
function nextFactor(total: f64, partitions: i32, threshold: f64): i32 {
  for (let factor = 1; factor <= partitions; factor++)
    if (partitions % factor == 0 && <f64>factor * threshold >= total) return factor;
  return partitions;
}

/** The partitions that `1-4,8` names; null where it cannot be understood. Empty names all of them. */
export function limitation(text: string): Set<i32> | null {
  const named = new Set<i32>();
  if (text.trim() == "") return named;
  const parts = text.split(",");
  for (let i = 0; i < parts.length; i++) {
    const ends = parts[i].trim().split("-");
    if (ends.length > 2) return null;
    const from = wholeOf(ends[0]);
    const to = wholeOf(ends[ends.length - 1]);
    if (from < 0 || to < 0) return null;
    for (let id = from; id <= to; id++) named.add(id);
  }
  return named;
}

/** A number of a partition; -1 where it is none. */
function wholeOf(text: string): i32 {
  const digits = text.trim();
  if (digits.length == 0 || digits.length > 7) return -1;
  for (let i = 0; i < digits.length; i++) {
    const code = digits.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return -1;
  }
  return I32.parseInt(digits);
}
