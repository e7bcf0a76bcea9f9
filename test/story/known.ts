import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Iteration } from "../../host/knowledge/index.ts";
import { policyKey } from "../../host/policy/index.ts";
import { openStore } from "../../host/store/index.ts";
import { ROOT } from "./bed.ts";
import { reportOf, reportText, type StepReport, type Story } from "./report.ts";

/** The newest passes of a policy that an operator knows of, oldest first. */
export interface Known extends AsyncDisposable {
  readonly passes: (namespace: string, policy: string, limit?: number) => Promise<Iteration[]>;
}

/** Reads what an operator remembers in its state directory while it goes on, as `sluice knowledge export` does. */
export async function known(state: string): Promise<Known> {
  const store = await openStore({ file: join(state, "knowledge.db"), clock: { now: () => new Date() } });
  return {
    passes: async (namespace, policy, limit = 1_000) =>
      [...(await store.entries(policyKey(namespace, policy), limit))].toReversed(),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

/**
 * Shows what a story took, and leaves it in `build/stories` for the page that lists them. What was measured by itself, `own`,
 * stands in place of what the passes say.
 */
export async function told(
  title: string,
  story: Story,
  own: Partial<StepReport> = {},
): Promise<StepReport[]> {
  const steps = reportOf(story).map((step) => ({ ...step, ...own }));
  process.stderr.write(`\n${reportText(title, steps)}`);
  const folder = join(ROOT, "build/stories");
  await mkdir(folder, { recursive: true });
  const name = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify({ title, steps }, undefined, 2)}\n`);
  return steps;
}
