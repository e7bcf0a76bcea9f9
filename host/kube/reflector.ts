import { asFault, Fault } from "../fault/index.ts";
import type { Api, Selection } from "./api.ts";
import { ClusterFault } from "./refusal.ts";
import type { KubeObject, Resource } from "./resource.ts";
import { keyOf, ObjectStore, type ChangeKind, type ObjectKey } from "./store.ts";
import { jittered, pause, type Time } from "./time.ts";
import { AnswerTooLarge } from "./transport.ts";

/** Pages, watches and pauses of a reflector. */
interface ReflectorLimits {
  readonly pageObjects: number;
  /** A watch is asked to end after a time between these two: many watches do not end together. */
  readonly watchSecondsLeast: number;
  readonly watchSecondsMost: number;
  /** Bookmarks come about once a minute: a watch that is silent for longer is dead, whatever its socket says. */
  readonly inactivityMs: number;
  readonly backoffLeastMs: number;
  readonly backoffMostMs: number;
  /** Lists cost the server most: after a 410 everybody waits up to this long before the next. */
  readonly relistSpreadMs: number;
  /** A watch that leaves out changes looks like one that has none: after a time between these two all is read again. */
  readonly relistMsLeast: number;
  readonly relistMsMost: number;
}

const REFLECTOR_LIMITS: ReflectorLimits = {
  pageObjects: 500,
  watchSecondsLeast: 300,
  watchSecondsMost: 600,
  inactivityMs: 90_000,
  backoffLeastMs: 800,
  backoffMostMs: 30_000,
  relistSpreadMs: 1_000,
  relistMsLeast: 10 * 60_000,
  relistMsMost: 30 * 60_000,
};

export interface ReflectorOptions<T> extends Selection {
  readonly api: Api;
  readonly resource: Resource;
  /** What is kept of an object; it may throw, and the object is left as it was. */
  readonly trim: (object: KubeObject) => T;
  readonly onEvent: (key: ObjectKey, kind: ChangeKind) => void;
  /** Told of every failure that was survived. */
  readonly onFault?: (fault: Fault) => void;
  readonly time: Time;
  readonly signal: AbortSignal;
  readonly limits?: Partial<ReflectorLimits>;
}

interface ReflectorFigures {
  /** Complete lists, the first one included. */
  lists: number;
  watches: number;
  failures: number;
  /** Changes that no watch told and a later list showed. */
  missed: number;
  /** When the server last said anything, on the clock of `Time.elapsedMs`. */
  lastHeardMs: number;
}

/** A copy of all objects of a resource that follows the API server. */
export interface Reflector<T> {
  get(key: ObjectKey): T | undefined;
  entries(): ReadonlyArray<readonly [ObjectKey, T]>;
  readonly size: number;
  /** Whether the first list was read whole: before that, what is missing means nothing. */
  hasSynced(): boolean;
  /** False from when the server says that there is no such kind until it has listed it again: what is kept may be no more. */
  isServed(): boolean;
  readonly figures: Readonly<ReflectorFigures>;
  /** Ends after the signal was given; never rejects. */
  readonly ended: Promise<void>;
}

/** Starts following a resource until the signal is given. Failures are told and survived, never thrown. */
export function reflect<T>(options: ReflectorOptions<T>): Reflector<T> {
  const loop = new ReflectorLoop(options);
  const ended = loop.run();
  return {
    get: (key) => loop.store.get(key),
    entries: () => loop.store.entries(),
    get size() {
      return loop.store.size;
    },
    hasSynced: () => loop.synced,
    isServed: () => loop.served,
    figures: loop.figures,
    ended,
  };
}

class ReflectorLoop<T> {
  readonly store: ObjectStore<T>;
  readonly figures: ReflectorFigures = { lists: 0, watches: 0, failures: 0, missed: 0, lastHeardMs: 0 };
  synced = false;
  served = true;
  readonly #options: ReflectorOptions<T>;
  readonly #limits: ReflectorLimits;
  #pageObjects: number;
  /** Where a watch goes on; undefined when only a list can tell. */
  #version: string | undefined;
  #failuresInRow = 0;
  /** When a list is due although the watches are well. */
  #relistAtMs = Infinity;
  /** As far as the watches told, for a list that checks them; what is newer none of them could have told. */
  #toldUntil: string | undefined;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#limits = { ...REFLECTOR_LIMITS, ...options.limits };
    this.#pageObjects = this.#limits.pageObjects;
    this.store = new ObjectStore(options.trim, (key, kind) => this.#safely(() => options.onEvent(key, kind)));
  }

  async run(): Promise<void> {
    const { signal, time } = this.#options;
    while (!signal.aborted) {
      try {
        if (time.elapsedMs() >= this.#relistAtMs) {
          this.#toldUntil ??= this.#version;
          this.#version = undefined;
        }
        this.#version ??= await this.#list();
        const startedMs = time.elapsedMs();
        await this.#watch(this.#version);
        // A server that ends every watch at once must not be asked without a pause.
        if (time.elapsedMs() - startedMs < this.#limits.backoffLeastMs) await this.#backOff(undefined);
      } catch (thrown) {
        if (!signal.aborted) await this.#survive(thrown);
      }
    }
  }

  /** Reads all pages; what they show and no watch told was missed. */
  async #list(): Promise<string> {
    const { api, resource, signal } = this.#options;
    const listed = new Set<ObjectKey>();
    let next: string | undefined;
    let version: string;
    // No version is asked for: the answer is as new as the server can say, so the copy never goes back in time.
    do {
      const query = { ...this.#selection(), limit: this.#pageObjects, ...definedOf({ continue: next }) };
      const page = await api.list(resource, query);
      signal.throwIfAborted();
      this.#heard();
      for (const object of page.items) {
        listed.add(keyOf(object));
        const isNews = this.#put(object);
        if (isNews && !isAfter(object.metadata.resourceVersion, this.#toldUntil)) this.#missed(1);
      }
      ({ continue: next, resourceVersion: version } = page);
    } while (next !== undefined);
    this.#missed(this.store.keepOnly(listed));
    this.figures.lists += 1;
    this.#toldUntil = undefined;
    const { relistMsLeast: least, relistMsMost: most } = this.#limits;
    this.#relistAtMs = this.#options.time.elapsedMs() + least + (most - least) * this.#options.time.random();
    this.synced = true;
    this.served = true;
    return version;
  }

  async #watch(from: string): Promise<void> {
    const { api, resource, time, signal } = this.#options;
    const { watchSecondsLeast: least, watchSecondsMost: most, inactivityMs } = this.#limits;
    const timeoutSeconds = Math.round(least + (most - least) * time.random());
    this.figures.watches += 1;
    const query = { ...this.#selection(), resourceVersion: from, timeoutSeconds, inactivityMs, signal };
    const beganMs = time.elapsedMs();
    let isMute = true;
    const events = api.watch(resource, query);
    const untilItFails = guarded(events, () => {
      // Bookmarks come every minute: who has not even those is not told of changes either, and has to look for himself.
      if (isMute && time.elapsedMs() - beganMs >= inactivityMs) this.#version = undefined;
    });
    for await (const event of untilItFails) {
      isMute = false;
      this.#heard();
      this.#failuresInRow = 0;
      if (event.type === "BOOKMARK") {
        this.#version = event.resourceVersion;
        continue;
      }
      if (event.type === "DELETED") this.store.remove(event.object);
      else this.#put(event.object);
      this.#version = event.object.metadata.resourceVersion;
    }
  }

  /** An object that cannot be understood is told, and the others go on. */
  #put(object: KubeObject): boolean {
    try {
      return this.store.put(object);
    } catch (thrown) {
      this.#tell(thrown);
      return false;
    }
  }

  async #survive(thrown: unknown): Promise<void> {
    this.#tell(thrown);
    if (thrown instanceof AnswerTooLarge) this.#pageObjects = Math.max(1, Math.ceil(this.#pageObjects / 4));
    if (thrown instanceof ClusterFault && thrown.status === 404) {
      // Its objects went with the kind, and the watch may have ended before it told of them all.
      this.served = false;
      this.#version = undefined;
    }
    if (thrown instanceof ClusterFault && thrown.status === 410) {
      // The version is older than what the server remembers.
      this.#version = undefined;
      await this.#pause(this.#limits.relistSpreadMs * this.#options.time.random());
    }
    await this.#backOff(thrown);
  }

  async #backOff(thrown: unknown): Promise<void> {
    const { backoffLeastMs, backoffMostMs } = this.#limits;
    const doubled = Math.min(backoffLeastMs * 2 ** this.#failuresInRow, backoffMostMs);
    this.#failuresInRow += 1;
    const askedMs = thrown instanceof Fault ? (thrown.retryAfterSeconds ?? 0) * 1_000 : 0;
    await this.#pause(Math.max(jittered(this.#options.time, doubled, 0.5), askedMs));
  }

  #pause = (ms: number) => pause(this.#options.time, ms, this.#options.signal);

  #selection(): Selection {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    return definedOf({ namespace, labelSelector, fieldSelector });
  }

  #missed(changes: number): void {
    if (this.synced) this.figures.missed += changes;
  }

  #heard(): void {
    this.figures.lastHeardMs = this.#options.time.elapsedMs();
  }

  #safely(act: () => void): void {
    try {
      act();
    } catch (thrown) {
      this.#tell(thrown);
    }
  }

  #tell(thrown: unknown): void {
    this.figures.failures += 1;
    try {
      this.#options.onFault?.(asFault(thrown));
    } catch {
      // The listener for failures failed: there is nobody left to tell.
    }
  }
}

/** The same events; `failed` is called before what ends them is thrown. */
async function* guarded<Event>(events: AsyncIterable<Event>, failed: () => void): AsyncGenerator<Event> {
  try {
    yield* events;
  } catch (thrown) {
    failed();
    throw thrown;
  }
}

/** Whether a version is later than another; versions that are no numbers are not compared. */
function isAfter(version: string, other: string | undefined): boolean {
  if (other === undefined || !/^\d+$/.test(version) || !/^\d+$/.test(other)) return false;
  return BigInt(version) > BigInt(other);
}

/** Only what is given, so that an optional field is left out and not undefined. */
function definedOf<F extends object>(fields: F): { [K in keyof F]?: Exclude<F[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
