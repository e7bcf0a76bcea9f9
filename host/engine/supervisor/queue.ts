/** What a piece of work costs before anybody has seen one of its tenant, and what it costs at least, in ms of processor time. */
const FIRST_GUESS_MS = 1;
const LEAST_MS = 0.1;
/** What a tenant used a minute ago counts half of what it uses now. */
const HALF_LIFE_MS = 60_000;
/** A use that has become so small says nothing any more. */
const FORGOTTEN_MS = 1;
/** The newest cost counts a quarter in what the next is taken for. */
const NEWEST = 0.25;

/** How a tenant stands. Its `tag` is the point of everybody's time, counted in processor time, at which it may go on. */
interface Standing<T> {
  readonly waiting: T[];
  tag: number;
  /** Since which push its first piece has waited; the earlier of two equals goes first. */
  since: number;
  /** What it is taken to need for its next piece. */
  guessMs: number;
  /** What it has used lately, as of `usedAtMs`. */
  usedMs: number;
  usedAtMs: number;
  running: number;
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
 * has used least lately goes first. A tenant's own pieces keep their order. Nothing is counted when nobody waits: a tenant
 * that was alone owes the others nothing for it.
 */
export class FairQueue<T> {
  readonly #standings = new Map<string, Standing<T>>();
  /** Where the shared clock stands: at the latest start so far. */
  #clock = 0;
  #pushes = 0;

  /** Adds a piece of work behind the others of its tenant. */
  push(tenant: string, item: T): void {
    const standing = this.#standings.get(tenant) ?? unknown<T>();
    this.#standings.set(tenant, standing);
    this.#pushes += 1;
    if (standing.waiting.length === 0) {
      standing.tag = Math.max(standing.tag, this.#clock);
      standing.since = this.#pushes;
    }
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
    this.#clock = Math.max(this.#clock, standing.tag);
    standing.tag += guessMs;
    standing.running += 1;
    this.#pushes += 1;
    standing.since = this.#pushes;
    return { tenant, item, guessMs };
  }

  /** Counts what a piece has cost, in place of what was guessed. */
  charge({ tenant, guessMs }: Taken<T>, costMs: number, nowMs: number): void {
    const standing = this.#standings.get(tenant);
    if (standing === undefined) return;
    const costs = Math.max(LEAST_MS, costMs);
    standing.running -= 1;
    standing.tag += costs - guessMs;
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
      this.#clock = standings.reduce((latest, [, { tag }]) => Math.max(latest, tag), this.#clock);
    for (const [tenant, standing] of standings) {
      if (isHere(standing) || standing.tag > this.#clock) continue;
      if (usedBy(standing, nowMs) < FORGOTTEN_MS) this.#standings.delete(tenant);
    }
  }
}

const isHere = <T>({ waiting, running }: Standing<T>) => waiting.length > 0 || running > 0;

const unknown = <T>(): Standing<T> => ({
  waiting: [],
  tag: 0,
  since: 0,
  guessMs: FIRST_GUESS_MS,
  usedMs: 0,
  usedAtMs: 0,
  running: 0,
});

function goesBefore<T>(one: Standing<T>, other: Standing<T>, nowMs: number): boolean {
  if (one.tag !== other.tag) return one.tag < other.tag;
  const [used, usedByOther] = [usedBy(one, nowMs), usedBy(other, nowMs)];
  return used === usedByOther ? one.since < other.since : used < usedByOther;
}

const usedBy = <T>({ usedMs, usedAtMs }: Standing<T>, nowMs: number): number =>
  usedMs * 2 ** ((usedAtMs - nowMs) / HALF_LIFE_MS);
