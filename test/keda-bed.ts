// The built algorithm `keda`, as its tests call it.
import { beforeAll } from "vitest";
import { builtAlgorithm } from "./built-algorithm.ts";
import { inputFor, type Setting } from "./keda-vectors.ts";
import { callStock } from "./stock.ts";

let file = "";
beforeAll(async () => {
  file = await builtAlgorithm("keda");
}, 240_000);

interface Told {
  readonly value?: number;
  readonly target?: number;
  readonly active?: boolean;
  readonly replicas?: number;
  readonly error?: string;
  readonly totalLag?: number;
  readonly totalLagWithPersistent?: number;
  readonly partitions?: readonly { partition: number; lag: number; lagWithPersistent: number }[];
}
/** What the first trigger says, or why the step failed. */
export async function told(setting: Setting): Promise<Told> {
  const { answer, error } = await callStock(file, "analyze", { ...inputFor(setting), step: "analyze" });
  if (error !== undefined) return { error };
  return (answer as { nodes: { app: { triggers: Told[] } } }).nodes.app.triggers[0] ?? {};
}

interface Planned {
  readonly nodes: { readonly app?: { readonly parallelism: number; readonly reason: string } };
  readonly carry: object;
}
export async function planned(setting: Setting): Promise<{ plan: Planned; logs: readonly string[] }> {
  const { answer, error, logs } = await callStock(file, "plan", inputFor(setting));
  if (error !== undefined) throw new Error(error);
  return { plan: answer as Planned, logs };
}
/** How many are wanted; what runs where nothing is decided. */
export async function wanted(setting: Setting): Promise<number> {
  const { plan } = await planned(setting);
  return plan.nodes.app?.parallelism ?? setting.current ?? 1;
}

/** One trigger on a query. */
export const query = (source: object, rest: object = {}): Setting => ({
  config: { triggers: [{ type: "prometheus", source: "query", threshold: 10, ...rest }] },
  sources: { query: source },
});
