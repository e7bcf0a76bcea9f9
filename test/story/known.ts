import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Iteration } from "../../host/knowledge/index.ts";
import { policyKey } from "../../host/policy/index.ts";
import { openStore } from "../../host/store/index.ts";
import { ROOT } from "./bed.ts";
import { reportOf, reportText, type StepReport, type Story } from "./report.ts";

/** All that an operator knows of the passes of a policy, oldest first; it may go on meanwhile, as for `sluice knowledge export`. */
export async function passesKnown(state: string, namespace: string, policy: string): Promise<Iteration[]> {
  const store = await openStore({ file: join(state, "knowledge.db"), clock: { now: () => new Date() } });
  try {
    return [...(await store.entries(policyKey(namespace, policy), 1_000))].toReversed();
  } finally {
    await store.close();
  }
}

/** Shows what a story took, and leaves it in `build/stories` for the page that lists them. */
export async function told(title: string, story: Story): Promise<StepReport[]> {
  const steps = reportOf(story);
  process.stderr.write(`\n${reportText(title, steps)}`);
  const folder = join(ROOT, "build/stories");
  await mkdir(folder, { recursive: true });
  const name = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify({ title, steps }, undefined, 2)}\n`);
  return steps;
}
