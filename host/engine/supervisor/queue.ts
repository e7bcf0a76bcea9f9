/** What a piece of work costs before anybody has seen one of its tenant, and what it costs at least, in ms of processor time. */
const FIRST_GUESS_MS = 1;
const LEAST_MS = 0.1;
/** What a tenant used a minute ago counts half of what it uses now. */
const HALF_LIFE_MS = 60_000;
/** A use that has become so small says nothing any more. */
const FORGOTTEN_MS = 1;
/** The newest cost counts a quarter in what the next is taken for. */
const NEWEST = 0.25;

/** How a tenant stands. */
interface Standing<T> {
  readonly waiting: T[];
  /** The point of everybody's time, counted in processor time, that its work has come to. */
  reachedMs: number;
  /** What its pieces that run are taken to need. */
  runningMs: number;
  running: number;
  /** What it is taken to need for its next piece. */
  guessMs: number;
  /** What it has used lately, as of `usedAtMs`. */
  usedMs: number;
  usedAtMs: number;
  /** When it was served last, and when it came, in turns and pushes. */
  served: number;
  came: number;
}

/** A piece of work that was taken; it is handed back with what it has cost. */
export interface Taken<T> {
  readonly tenant: string;
  readonly item: T;
  readonly guessMs: number;
}

/**
 * Who goes next, by start-time fair queueing over processor time: a piece of work of a tenant starts, on a clock that all
 * share, where the one before it ended, and the earliest start goes first. So tenants that wait get the same processor time,
 * and one that comes newly waits for one piece of another, however many that one has waiting. Among equals the tenant that
 * has used least lately goes first. A tenant's own pieces keep their order. What a tenant used while nobody else waited it
 * owes to nobody: the clock went with it.
 */
export class FairQueue<T> {
  readonly #standings = new Map<string, Standing<T>>();
  /** Where the shared clock stands: at the tenant that is furthest behind, of those that wait or run. It never goes back. */
  #clockMs = 0;
  #count = 0;

  /** Adds a piece of work behind the others of its tenant. */
  push(tenant: string, item: T): void {
    const standing = this.#standings.get(tenant) ?? unknown<T>();
    this.#standings.set(tenant, standing);
    if (!isHere(standing)) standing.reachedMs = Math.max(standing.reachedMs, this.#clockMs);
    if (standing.waiting.length === 0) standing.came = this.#count += 1;
    standing.waiting.push(item);
  }

  /** How many pieces of a tenant wait. */
  waiting(tenant: string): number {
    return this.#standings.get(tenant)?.waiting.length ?? 0;
  }

  /** Tenants that the queue knows of: those that wait, run or have used something lately. */
  get size(): number {
    return this.#standings.size;
  }

  /** The tenant whose turn it is, among those that may go now. */
  first(nowMs: number, may: (tenant: string) => boolean = () => true): string | undefined {
    let first: string | undefined;
    let best: Standing<T> | undefined;
    for (const [tenant, standing] of this.#standings) {
      if (standing.waiting.length === 0) continue;
      if (best !== undefined && !goesBefore(standing, best, nowMs)) continue;
      if (!may(tenant)) continue;
      first = tenant;
      best = standing;
    }
    return first;
  }

  /** Takes the first piece of the tenant whose turn it is. */
  take(nowMs: number, may?: (tenant: string) => boolean): Taken<T> | undefined {
    const tenant = this.first(nowMs, may);
    const standing = tenant === undefined ? undefined : this.#standings.get(tenant);
    const item = standing?.waiting.shift();
    if (tenant === undefined || standing === undefined || item === undefined) return undefined;
    const { guessMs } = standing;
    standing.runningMs += guessMs;
    standing.running += 1;
    standing.served = this.#count += 1;
    this.#advance();
    return { tenant, item, guessMs };
  }

  /** Counts what a piece has cost, in place of what was guessed. */
  charge({ tenant, guessMs }: Taken<T>, costMs: number, nowMs: number): void {
    const standing = this.#standings.get(tenant);
    if (standing === undefined) return;
    const costs = Math.max(LEAST_MS, costMs);
    standing.running -= 1;
    // Of many additions and subtractions a little would remain.
    standing.runningMs = standing.running === 0 ? 0 : standing.runningMs - guessMs;
    standing.reachedMs += costs;
    standing.guessMs += (costs - standing.guessMs) * NEWEST;
    standing.usedMs = usedBy(standing, nowMs) + costs;
    standing.usedAtMs = nowMs;
  }

  /** Takes a piece of work out that nobody waits for any more. */
  remove(tenant: string, item: T): boolean {
    const standing = this.#standings.get(tenant);
    const at = standing?.waiting.indexOf(item) ?? -1;
    if (standing === undefined || at < 0) return false;
    standing.waiting.splice(at, 1);
    return true;
  }

  /** Forgets tenants that have nothing here and have used next to nothing lately; to be called now and then. */
  forget(nowMs: number): void {
    const standings = [...this.#standings];
    // Where nobody wants anything, nobody owes anybody anything.
    if (!standings.some(([, one]) => isHere(one)))
      this.#clockMs = standings.reduce((latest, [, one]) => Math.max(latest, one.reachedMs), this.#clockMs);
    for (const [tenant, standing] of standings) {
      if (isHere(standing) || standing.reachedMs > this.#clockMs) continue;
      if (usedBy(standing, nowMs) < FORGOTTEN_MS) this.#standings.delete(tenant);
    }
  }

  #advance(): void {
    let least = Infinity;
    for (const one of this.#standings.values()) if (isHere(one)) least = Math.min(least, one.reachedMs);
    if (least < Infinity) this.#clockMs = Math.max(this.#clockMs, least);
  }
}

const isHere = <T>({ waiting, running }: Standing<T>) => waiting.length > 0 || running > 0;

const unknown = <T>(): Standing<T> => ({
  waiting: [],
  reachedMs: 0,
  runningMs: 0,
  running: 0,
  guessMs: FIRST_GUESS_MS,
  usedMs: 0,
  usedAtMs: 0,
  served: 0,
  came: 0,
});

function goesBefore<T>(one: Standing<T>, other: Standing<T>, nowMs: number): boolean {
  const differences = [
    one.reachedMs + one.runningMs - (other.reachedMs + other.runningMs),
    usedBy(one, nowMs) - usedBy(other, nowMs),
    one.served - other.served,
    one.came - other.came,
  ];
  return (differences.find((difference) => difference !== 0) ?? 0) < 0;
}

const usedBy = <T>({ usedMs, usedAtMs }: Standing<T>, nowMs: number): number =>
  usedMs * 2 ** ((usedAtMs - nowMs) / HALF_LIFE_MS);
