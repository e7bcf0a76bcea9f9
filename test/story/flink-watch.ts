import { setTimeout as sleep } from "node:timers/promises";
import type { Flink } from "../world/flink.ts";
import type { Period, Waiting } from "./report.ts";

/** What is seen of a job a few times a second. */
export interface Watch extends AsyncDisposable {
  /** When not all of its tasks ran, by what Flink says of the job and its vertices. */
  readonly down: readonly Period[];
  /** How many records the instance that is furthest behind had not come to. */
  readonly waiting: readonly Waiting[];
  /** Whether the last record that was offered has been worked on, and every vertex has taken what the one before it gave. */
  readonly isEmpty: () => Promise<boolean>;
}

interface JobAnswer {
  readonly state: string;
  readonly vertices: readonly { readonly id: string; readonly name: string; readonly status: string }[];
}
type Figures = readonly { readonly id: string; readonly [aggregate: string]: number | string }[];

const POLL_MS = 250;

/** Watches one of the tests' jobs until it is disposed. */
export function watch({ rest }: Pick<Flink, "rest">, job: string): Watch {
  const down: Period[] = [];
  const waiting: Waiting[] = [];
  let isOver = false;
  const look = async () => (await rest("GET", `/jobs/${job}`)) as JobAnswer;
  const figure = async ({ vertices }: JobAnswer, vertex: string, name: string, aggregate: string) => {
    const id = vertices.find((one) => one.name === vertex)?.id ?? "";
    const path = `/jobs/${job}/vertices/${id}/subtasks/metrics?get=${name}&agg=${aggregate}`;
    const [value] = (await rest("GET", path)) as Figures;
    return Number(value?.[aggregate] ?? Number.NaN);
  };
  const poll = async (last: Period | undefined) => {
    const atMs = Date.now();
    const seen = await look();
    const runs = seen.state === "RUNNING" && seen.vertices.every(({ status }) => status === "RUNNING");
    if (last !== undefined) down.push({ ...last, untilMs: atMs });
    if (!runs) return { fromMs: atMs, untilMs: atMs };
    const records = await figure(seen, "work", "work.behind", "max");
    if (Number.isFinite(records)) waiting.push({ atMs, records });
    return undefined;
  };
  const work = (async () => {
    let last: Period | undefined;
    for (; !isOver; await sleep(POLL_MS)) last = await poll(last).catch(() => last);
  })();
  return {
    ...{ down, waiting },
    async isEmpty() {
      const seen = await look();
      const [behind, ...counts] = await Promise.all([
        figure(seen, "work", "work.behind", "min"),
        figure(seen, "Source: numbers", "numRecordsOut", "sum"),
        figure(seen, "work", "numRecordsIn", "sum"),
        figure(seen, "work", "numRecordsOut", "sum"),
        figure(seen, "sink: Writer", "numRecordsIn", "sum"),
      ]);
      return behind === 0 && (counts[0] ?? 0) > 0 && counts.every((count) => count === counts[0]);
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      await work;
    },
  };
}
