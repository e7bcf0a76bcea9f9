import { asFault, Fault } from "../fault/index.ts";
import type { Api } from "./api.ts";
import type { Resource } from "./resource.ts";
import type { Time } from "./time.ts";

/** How much the operator says about an object. */
const EVENT_LIMITS = {
  noteBytes: 1_024,
  /** What is said again within this time after the last is counted instead of repeated. */
  seriesMs: 10 * 60_000,
  /** A count is written at most this often. */
  countMs: 60_000,
  newPerMinute: 10,
  // Memory: about 1 kB each. 10,000 policies have one or two series each.
  series: 20_000,
  pending: 10_000,
} as const;

/** The object that an event is about. */
interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  /** Undefined for what is in no namespace: its events are then in `default`. */
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventNews {
  readonly regarding: Regarding;
  readonly type: "Normal" | "Warning";
  /** A fault's code, or another CamelCase word. */
  readonly reason: string;
  /** What the operator did or tried, as one CamelCase word. */
  readonly action: string;
  /** A sentence for people; cut to 1 kB. */
  readonly note: string;
  /** News of one reason that differ in this are told apart, such as a node and its new number. */
  readonly detail?: string;
}

interface EventFigures {
  created: number;
  counted: number;
  dropped: number;
  failed: number;
}

/** Tells the users of an object what happened to it. */
export interface EventRecorder {
  /** Returns at once and never throws: an event that cannot be written is counted and dropped. */
  record(news: EventNews): void;
  /** Writes the counts that still wait, and ends when everything is sent. */
  flush(): Promise<void>;
  readonly figures: Readonly<EventFigures>;
}

export interface RecorderOptions {
  /** Who reports, such as `sluice.dev/operator`. */
  readonly controller: string;
  /** Which of its replicas. */
  readonly instance: string;
  readonly time: Time;
  readonly onFault?: (fault: Fault) => void;
}

const EVENTS: Resource = {
  apiVersion: "events.k8s.io/v1",
  kind: "Event",
  plural: "events",
  namespaced: true,
  hasScale: false,
};

interface Series {
  readonly name: string;
  readonly namespace: string;
  count: number;
  countWritten: number;
  lastAt: Date;
  lastMs: number;
  writtenMs: number;
  cancel: (() => void) | undefined;
}

/** Records events as the operator: these are its own objects, about others. */
export function eventRecorder(api: Api, options: RecorderOptions): EventRecorder {
  return new Recorder(api, options);
}

class Recorder implements EventRecorder {
  readonly figures: EventFigures = { created: 0, counted: 0, dropped: 0, failed: 0 };
  readonly #api: Api;
  readonly #options: RecorderOptions;
  /** The ones that were heard of least recently stand first. */
  readonly #series = new Map<string, Series>();
  /** When the last new events of an object were made, by uid. */
  readonly #made = new Map<string, number[]>();
  readonly #pending: (() => Promise<unknown>)[] = [];
  #sending: Promise<void> | undefined;
  #names = 0;

  constructor(api: Api, options: RecorderOptions) {
    this.#api = api;
    this.#options = options;
  }

  record(news: EventNews): void {
    const { time } = this.#options;
    const key = [news.regarding.uid, news.type, news.reason, news.detail ?? ""].join("\n");
    const held = this.#series.get(key);
    const nowMs = time.elapsedMs();
    this.#series.delete(key);
    if (held !== undefined && nowMs - held.lastMs < EVENT_LIMITS.seriesMs) {
      this.#series.set(key, held);
      Object.assign(held, { count: held.count + 1, lastAt: time.now(), lastMs: nowMs });
      held.cancel ??= time.after(Math.max(0, held.writtenMs + EVENT_LIMITS.countMs - nowMs), () =>
        this.#count(key),
      );
      return;
    }
    if (!this.#mayMake(news.regarding.uid, nowMs)) {
      this.figures.dropped += 1;
      return;
    }
    const series = this.#begin(news, nowMs);
    this.#series.set(key, series);
    trimTo(this.#series, EVENT_LIMITS.series, (oldest) => oldest.cancel?.());
    const { namespace } = series;
    const made = () => this.#api.create(EVENTS, namespace, eventOf(news, series, this.#options));
    this.#send(key, made, () => (this.figures.created += 1));
  }

  async flush(): Promise<void> {
    for (const [key, series] of this.#series) if (series.count > series.countWritten) this.#count(key);
    await this.#sending;
  }

  #begin({ regarding }: EventNews, nowMs: number): Series {
    const { time } = this.#options;
    this.#names += 1;
    const unique = [time.now().getTime(), this.#names, Math.floor(time.random() * 2 ** 32)];
    return {
      name: `${regarding.name.slice(0, 200)}.${unique.map((part) => part.toString(16)).join("")}`,
      namespace: regarding.namespace ?? "default",
      count: 1,
      countWritten: 1,
      lastAt: time.now(),
      lastMs: nowMs,
      writtenMs: nowMs,
      cancel: undefined,
    };
  }

  #count(key: string): void {
    const series = this.#series.get(key);
    if (series === undefined) return;
    series.cancel?.();
    const { name, namespace, count, lastAt } = series;
    Object.assign(series, {
      cancel: undefined,
      countWritten: count,
      writtenMs: this.#options.time.elapsedMs(),
    });
    const body = { series: { count, lastObservedTime: microTime(lastAt) } };
    const patched = () => this.#api.patch(EVENTS, { namespace, name }, "merge", body);
    this.#send(key, patched, () => (this.figures.counted += 1));
  }

  #mayMake(uid: string, nowMs: number): boolean {
    const recent = (this.#made.get(uid) ?? []).filter((atMs) => nowMs - atMs < 60_000);
    const may = recent.length < EVENT_LIMITS.newPerMinute;
    this.#made.delete(uid);
    this.#made.set(uid, may ? [...recent, nowMs] : recent);
    trimTo(this.#made, EVENT_LIMITS.series);
    return may;
  }

  #send(key: string, send: () => Promise<unknown>, sent: () => void): void {
    if (this.#pending.length >= EVENT_LIMITS.pending) {
      this.#lose(key, new Fault("ClusterUnavailable", "too many events wait"));
      return;
    }
    this.#pending.push(() => send().then(sent, (thrown: unknown) => this.#lose(key, asFault(thrown))));
    this.#sending ??= this.#drain().finally(() => (this.#sending = undefined));
  }

  /** One after the other: a count must not come before its event. */
  async #drain(): Promise<void> {
    for (let send = this.#pending.shift(); send !== undefined; send = this.#pending.shift()) await send();
  }

  /** The event is not there, or no longer: the next of its kind makes a new one. */
  #lose(key: string, fault: Fault): void {
    this.#series.get(key)?.cancel?.();
    this.#series.delete(key);
    this.figures.failed += 1;
    this.#options.onFault?.(fault);
  }
}

function eventOf(news: EventNews, series: Series, { controller, instance }: RecorderOptions) {
  const { regarding, type, reason, action, note } = news;
  return {
    apiVersion: EVENTS.apiVersion,
    kind: EVENTS.kind,
    metadata: { name: series.name, namespace: series.namespace },
    eventTime: microTime(series.lastAt),
    reportingController: controller,
    reportingInstance: instance,
    regarding,
    type,
    reason,
    action,
    // What an algorithm says of itself ends on terminals: it is one line without control characters.
    note: cutToBytes(note.replace(/\p{Cc}+/gu, " "), EVENT_LIMITS.noteBytes),
  };
}

/** The API server refuses a time of an event that has not exactly six decimals. */
const microTime = (at: Date) => at.toISOString().replace("Z", "000Z");

/** The text, cut at a whole character so that its UTF-8 fits. */
export function cutToBytes(text: string, bytes: number): string {
  const encoded = Buffer.from(text, "utf8");
  if (encoded.length <= bytes) return text;
  let end = bytes;
  // Bytes of the form 10xxxxxx continue a character.
  while (end > 0 && ((encoded[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return encoded.subarray(0, end).toString("utf8");
}

function trimTo<V>(map: Map<string, V>, size: number, drop: (value: V) => void = () => undefined): void {
  for (const [oldest, value] of map) {
    if (map.size <= size) return;
    map.delete(oldest);
    drop(value);
  }
}
