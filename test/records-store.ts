import type { Iteration } from "../host/knowledge/index.ts";
import type { World } from "../host/loop/index.ts";

/** Knowledge in a map that the test looks into: the last memory, and the decision that is open. */
export function recordsStore(records: Map<string, Iteration>): World["store"] {
  return {
    recall: async () => {
      const known = [...records.values()].toSorted((one, other) => other.number - one.number);
      const memory = known.find((one) => one.memory !== undefined)?.memory;
      const open = known.find(({ outcome }) => outcome === "Open");
      const past = { number: known[0]?.number ?? 0, carry: undefined, history: [], open };
      return { ...past, ...(memory === undefined ? {} : { memory }) };
    },
    remember: async (_policy, one) => void records.set(one.id, one),
  };
}
