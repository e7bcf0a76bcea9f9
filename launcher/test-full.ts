// `npm run test:full`: what takes longer than a change should wait, about an hour and a half, and the page that says how it
// ended. Files may be named, as for `npm test`; then there is no page. `npm run test:full -- stories` runs the stories of each
// framework alone, and writes their page.
import { spawnSync } from "node:child_process";
import { writeMatrix } from "./full/matrix.ts";
import { writeStories } from "./full/stories.ts";

/** Real frameworks, and what breaks while a driver scales them. */
const FRAMEWORKS = ["driver-faults", "driver-crash", "kafka-streams-faults", "flink-faults"].map(
  (name) => `test/${name}.test.ts`,
);
const FRAMEWORKS_LONG = ["test/full/flink-faults.test.ts", "test/full/flink-crash.test.ts"];
const ABOUT_FRAMEWORKS = `A driver scales a real application: objects and jobs of a real API server and its controllers, processes of a real
Flink and of Kafka Streams behind pods; a JobManager that lies is a stand-in. A cell is green only if what was wanted is there in the end, one change was on its way
at a time, it was written once, and the right code says what kept it. Operators that die do so before and after every write
and everything they remember, one after the other.`;

const files = process.argv.slice(2);
const report = (name: string) => `build/full-${name}.json`;

function vitest(name: string, options: readonly string[], environment: NodeJS.ProcessEnv = {}): boolean {
  const env = { ...process.env, ...environment };
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report(name)}`];
  const words = ["run", "--no-file-parallelism", ...reporters, ...options];
  return spawnSync("vitest", words, { stdio: "inherit", env }).status === 0;
}

const STORIES = ["chain", "flink", "jobs", "kafka-streams", "story"].map(
  (name) => `test/story/${name}.test.ts`,
);

async function stories(): Promise<boolean> {
  const passed = vitest("stories", STORIES);
  if (passed) await writeStories();
  return passed;
}

const isBuilt = spawnSync("node", ["--no-warnings", "launcher/build.ts"], { stdio: "inherit" }).status === 0;
const full = ["--config", "vitest.full.config.ts"];
if (files.join() === "stories") process.exitCode = isBuilt && (await stories()) ? 0 : 1;
else if (files.length > 0) process.exitCode = isBuilt && vitest("some", [...full, ...files]) ? 0 : 1;
else {
  const passed = [
    vitest("usual", ["test/story/faults.test.ts"]),
    vitest("long", [...full, ...FRAMEWORKS_LONG.flatMap((file) => ["--exclude", file])]),
    vitest("frameworks", FRAMEWORKS),
    vitest("frameworks-long", [...full, ...FRAMEWORKS_LONG]),
    // Fifty replicas are killed, with leases as they are by default.
    vitest("replicas", ["test/story/replicas.test.ts"], { SLUICE_FAILOVERS: "50" }),
    await stories(),
  ];
  await writeMatrix([
    { title: "With every change", report: report("usual") },
    { title: "What takes longer", report: report("long") },
    { title: "Frameworks", about: ABOUT_FRAMEWORKS, report: report("frameworks") },
    { title: "Frameworks, what takes longer", report: report("frameworks-long") },
    { title: "Replicas, with fifty fail-overs", report: report("replicas") },
  ]);
  process.exitCode = isBuilt && passed.every(Boolean) ? 0 : 1;
}
