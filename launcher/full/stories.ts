import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What a story left in `build/stories`, see test/story/report.ts. */
interface Told {
  readonly title: string;
  readonly steps: readonly {
    readonly name: string;
    readonly needed: Readonly<Record<string, number>>;
    readonly decisions: number;
    readonly decidedSeconds: number;
    readonly settledSeconds?: number;
    readonly caughtUpSeconds?: number;
    readonly overPercent: number;
    /** Null where it says nothing. */
    readonly underPercent: number | null;
    readonly downSeconds: number;
  }[];
}

const FOLDER = "build/stories";

const HEAD = `# Stories

What a step of the load took, on the real parts: an operator with an algorithm that comes with it, a real API server, and real
processes of the framework behind the pods. Each story brings the application to the parallelism that was worked out by hand,
up and down, and its lag to nothing; \`npm test\` runs them, and holds all of that but the times.

Measured on a machine of two cores that ran all of it, servers, application, load and operator, and had other work besides. A
pass every two seconds, every second for Deployments and jobs. Records cost sleep, not processor time.

| story | load | by hand | decisions | last decision | settled | caught up | over | under | down |
|---|---|---|---|---|---|---|---|---|---|
`;

const FOOT = `
All times are seconds from the change of the load, and all is computed from what the operator knows of its passes
(\`test/story/report.ts\`), so no figure is finer than a pass.

- **by hand**: instances of each node that the load needs, worked out in the test.
- **decisions**: passes that changed something; **last decision**: when the last of them began. On the way down it is late by the
  window in which the policy waits for the load to come back, which is 15 s in most.
- **settled**: from then on every node had what it needs, and the framework said that all of it works.
- **caught up**: from then on no more records waited than arrive in a second; – where nothing counts them.
- **over**: ∫ max(0, asked for − needed) dt / ∫ needed dt; **under**: ∫ max(0, needed − ready) dt / ∫ needed dt, until the story
  looked no longer, some 10 s after the application had caught up. On the way down nearly all of it is the window. Of jobs, over is
  those that were made and had nothing to do: jobs of a second or two, and the length of the queue as old as a scrape.
- **down**: of Flink, the time in which not all tasks ran, looked at four times a second: each change is a restart. Of Kafka Streams,
  at most the time in which some tasks stood still: the group had no stable generation, a task had no thread, or the group still
  counted threads that go. Of Deployments and jobs, the time in which fewer served than before a change up or than after one down.

Written by \`npm run test:full -- stories\`.
`;

/** Writes docs/reference/stories.md from what the stories have left, in the order of their titles. */
export async function writeStories(): Promise<void> {
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith(".json")).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(FOLDER, name), "utf8")));
  const rows = texts.map((text) => JSON.parse(text) as Told).flatMap(rowsOf);
  await writeFile("docs/reference/stories.md", [HEAD, ...rows, FOOT].join(""));
}

const seconds = (value: number | undefined) => (value === undefined ? "–" : value.toFixed(1));

const rowsOf = ({ title, steps }: Told): string[] =>
  steps.map((step) => {
    const times = [step.decidedSeconds, step.settledSeconds, step.caughtUpSeconds].map(seconds);
    const shares = [step.overPercent, step.underPercent].map((one) =>
      one === null ? "–" : `${one.toFixed(0)} %`,
    );
    const needed = Object.entries(step.needed).map((one) => one.join(" "));
    const cells = [
      title,
      step.name,
      needed.join(", "),
      step.decisions,
      ...times,
      ...shares,
      `${seconds(step.downSeconds)} s`,
    ];
    return `| ${cells.join(" | ")} |\n`;
  });
