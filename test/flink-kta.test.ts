import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { boundsAfter, podsFor, slotsFor } from "../host/driver/index.ts";

interface Call {
  readonly api: string;
  readonly verb?: string;
  readonly replicas?: number;
  readonly body?: unknown;
  readonly url?: string;
}

interface Vector {
  readonly name: string;
  readonly given: {
    readonly flinkJobManagerBaseUrl: string;
    readonly flinkJobId: string;
    readonly flinkJobDeploymentType: "SharedTaskSlots" | "StreamingGraphNodePerTaskSlot" | null;
    readonly currentTaskManagers: number | null;
    readonly parallelism: Readonly<Record<string, number>>;
  };
  readonly expectCalls: readonly Call[];
}

const { vectors } = JSON.parse(readFileSync("test/vectors/kta/flink-driver.json", "utf8")) as {
  vectors: Vector[];
};

/**
 * What of KTA's Flink driver is a computation: how many TaskManagers of one slot each, and the bounds that are put. In the
 * order of its calls, and in what it calls without a change, ours is meant to differ: see the page on scaling a Flink job.
 */
describe(`the ${vectors.length} calls of KTA's Flink driver`, () => {
  test.each(vectors.map((vector) => [vector.name, vector] as const))(
    "%s",
    (_name, { given, expectCalls }) => {
      const after = new Map(Object.entries(given.parallelism));
      const vertices = [...after.keys()].map((id) => ({ id, slotGroup: "default" }));
      const slotMode =
        given.flinkJobDeploymentType === "StreamingGraphNodePerTaskSlot" ? "PerNode" : "Shared";
      const pods = podsFor(slotsFor(vertices, after, slotMode), { slotsPerPod: 1 });
      const isOurs = given.currentTaskManagers !== null;
      const scaled = isOurs && pods !== given.currentTaskManagers ? [pods] : [];
      expect(scaled).toEqual(expectCalls.flatMap(({ replicas }) => replicas ?? []));

      const put = expectCalls.find(({ api }) => api === "flink");
      const before = new Map([...after.keys()].map((id) => [id, { lower: 1, upper: 1 }]));
      const bounds = [...boundsAfter(before, after, "Target")].map(([id, { lower, upper }]) => [
        id,
        { parallelism: { lowerBound: lower, upperBound: upper } },
      ]);
      expect(Object.fromEntries(bounds)).toEqual(put?.body);
      const path = `/jobs/${given.flinkJobId}/resource-requirements`;
      expect(new URL(path, given.flinkJobManagerBaseUrl).href).toBe(put?.url);
    },
  );
});
