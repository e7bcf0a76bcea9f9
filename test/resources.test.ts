import { describe, expect, test } from "vitest";
import type { Memory, Reason, Wanted } from "../host/knowledge/index.ts";
import { reshaped } from "../host/loop/guardrails/resources.ts";
import { guard, readPlan } from "../host/loop/index.ts";
import { quantity, type Guardrails, type ResourceRails } from "../host/policy/index.ts";
import type { Resources, TopologyNode } from "../host/topology/index.ts";
import { guardrails, node, topology } from "./builders.ts";

const GI = 2 ** 30;
const AT_MS = Date.parse("2026-03-01T12:00:00.000Z");
const RAILS: ResourceRails = {
  bounds: { cpu: { min: 0.25, max: 4 }, memory: { min: GI / 2, max: 8 * GI } },
  tolerance: 0.1,
  cooldownSeconds: 600,
};
const HAS: Partial<TopologyNode> = { resources: { cpu: 1, memory: 2 * GI }, adjustable: ["cpu", "memory"] };

interface Given {
  readonly node?: Partial<TopologyNode>;
  readonly rails?: Partial<Guardrails>;
  readonly memory?: Memory;
  readonly scope?: "node" | "job";
  readonly stays?: ReadonlyMap<string, Reason>;
  readonly isUpPaused?: boolean;
  readonly isDownPaused?: boolean;
}

/** What is decided for the node `split` of 4, where another called `other` is left alone. */
function decided(resources: Resources, given: Given = {}, parallelism = 4) {
  const wanted: Wanted[] = [{ node: "split", parallelism, resources }];
  const found = topology(node("split", 4, { ...HAS, ...given.node }), node("other", 2, HAS));
  const { memory } = given;
  const at = new Date(AT_MS);
  const rails = guardrails({ resources: RAILS, ...given.rails });
  const { decision } = guard(wanted, { topology: found, sources: {}, memory, at }, rails);
  const stays = {
    nodes: given.stays ?? new Map<string, Reason>(),
    isUpPaused: given.isUpPaused ?? false,
    isDownPaused: given.isDownPaused ?? false,
  };
  const footing = { topology: found, memory, at, scope: given.scope ?? "node", stays } as const;
  return reshaped(decision, wanted, footing, rails);
}
const judged = (resources: Resources, given?: Given) => {
  const { granted, reasons } = decided(resources, given).verdicts[0]?.resources ?? {};
  return [granted, reasons];
};

describe("resources that are wanted for the instances of a node", () => {
  test("become a change of their own where as many are wanted, and other nodes have none", () => {
    const { changes, verdicts } = decided({ cpu: 2 });
    expect(changes).toEqual([
      { node: "split", from: 4, to: 4, revision: "1", resources: { from: { cpu: 1 }, to: { cpu: 2 } } },
    ]);
    expect(verdicts[1]).not.toHaveProperty("resources");
  });

  test("go with the change of their number where there is one", () => {
    expect(decided({ memory: GI }, {}, 2).changes).toEqual([
      {
        ...{ node: "split", from: 4, to: 2, revision: "1" },
        resources: { from: { memory: 2 * GI }, to: { memory: GI } },
      },
    ]);
  });

  test("are brought inside the bounds, each dimension by itself", () => {
    expect(judged({ cpu: 9, memory: 1 })).toEqual([{ cpu: 4, memory: GI / 2 }, ["OutOfBounds"]]);
    expect(judged({ cpu: 2, memory: 9 * GI })).toEqual([{ cpu: 2, memory: 8 * GI }, ["OutOfBounds"]]);
  });

  test("move nothing within the tolerance", () => {
    expect(judged({ cpu: 1.1 })).toEqual([HAS.resources, ["WithinTolerance"]]);
    expect(judged({ cpu: 1.101 })).toEqual([{ cpu: 1.101, memory: 2 * GI }, []]);
    expect(judged({ cpu: 0.9 })).toEqual([HAS.resources, ["WithinTolerance"]]);
    expect(judged({ cpu: 1 })).toEqual([HAS.resources, []]);
  });

  test("are given where nothing was said of them", () => {
    expect(decided({ cpu: 2 }, { node: { resources: { memory: GI } } }).changes[0]?.resources).toEqual({
      from: {},
      to: { cpu: 2 },
    });
  });

  test.each<[string, Given, Reason]>([
    ["where the policy has no rails for them", { rails: { resources: undefined } }, "ResourcesNotAllowed"],
    [
      "where the policy has none for this dimension",
      { rails: { resources: { ...RAILS, bounds: { memory: { min: GI, max: GI } } } } },
      "ResourcesNotAllowed",
    ],
    ["where the driver cannot", { node: { adjustable: ["memory"] } }, "NotAdjustable"],
    ["where the driver says nothing of them", { node: { adjustable: [] } }, "NotAdjustable"],
    ["while a change settles", { stays: new Map([["split", "Settling"]]) }, "Settling"],
    ["while nothing grows", { isUpPaused: true }, "DirectionPaused"],
    [
      "while everything is frozen",
      {
        rails: {
          windows: [
            {
              name: "w",
              start: "0 0 1 1 *",
              end: "59 23 31 12 *",
              timeZone: "UTC",
              bounds: undefined,
              isFreeze: true,
            },
          ],
        },
      },
      "Frozen",
    ],
  ])("stay as they are %s", (_when, given, reason) => {
    expect(judged({ cpu: 2 }, given)).toEqual([HAS.resources, [reason]]);
    expect(decided({ cpu: 2 }, given).changes).toEqual([]);
  });

  test("do not shrink while nothing shrinks, or while what was remembered is lost; what grows does", () => {
    const want = { cpu: 2, memory: GI };
    const grown = { cpu: 2, memory: 2 * GI };
    expect(judged(want, { isDownPaused: true })).toEqual([grown, ["DirectionPaused"]]);
    const memory = { nodes: {}, lostAtMs: AT_MS };
    expect(judged(want, { memory })).toEqual([grown, ["WindowUnknown"]]);
  });

  test("wait for the cooldown of their node, to the millisecond", () => {
    const at = (node: string, atMs: number): Memory => ({
      nodes: { [node]: { reshaped: { atMs, found: {} } } },
    });
    expect(judged({ cpu: 2 }, { memory: at("split", AT_MS - 599_999) })[1]).toEqual(["CoolingDown"]);
    expect(judged({ cpu: 2 }, { memory: at("split", AT_MS - 600_000) })[1]).toEqual([]);
    expect(judged({ cpu: 2 }, { memory: at("other", AT_MS - 1) })[1]).toEqual([]);
    // Where all nodes move together there is one cooldown.
    expect(judged({ cpu: 2 }, { memory: at("other", AT_MS - 1), scope: "job" })[1]).toEqual(["CoolingDown"]);
    // A clock that was set back makes no wait longer.
    expect(judged({ cpu: 2 }, { memory: at("split", AT_MS + 10 ** 9) })[1]).toEqual(["CoolingDown"]);
  });
});

describe("resources in a plan", () => {
  const found = topology(node("split", 4));
  const read = (resources: object) =>
    readPlan(JSON.stringify({ nodes: { split: { parallelism: 4, resources } } }), found).wanted[0]?.resources;

  test("are quantities, up to whole thousandths of a processor and whole MiB", () => {
    expect(read({ cpu: "500m", memory: "2Gi", slots: 3 })).toEqual({ cpu: 0.5, memory: 2 * GI, slots: 3 });
    expect(read({ cpu: "0.0291" })).toEqual({ cpu: 0.03 });
    expect(read({ cpu: "0.3" })).toEqual({ cpu: 0.3 });
    expect(read({ memory: "1.5e9" })).toEqual({ memory: 1_431 * 2 ** 20 });
    expect(read({ memory: "2147483648.0" })).toEqual({ memory: 2 * GI });
    expect(read({})).toEqual({});
  });

  test.each([
    [{ cpu: "0" }, "nodes.split.resources.cpu"],
    [{ cpu: "-1" }, "nodes.split.resources.cpu"],
    [{ cpu: "1e12" }, "nodes.split.resources.cpu"],
    [{ cpu: "NaN" }, "nodes.split.resources.cpu"],
    [{ memory: "2 Gi" }, "nodes.split.resources.memory"],
    [{ memory: "9999999Ti" }, "nodes.split.resources.memory"],
    [{ memory: "" }, "nodes.split.resources.memory"],
    [{ slots: 0 }, "nodes.split.resources.slots"],
    [{ slots: 1.5 }, "nodes.split.resources.slots"],
    [{ disk: "1Gi" }, "nodes.split.resources.disk"],
  ])("that are none are no plan: %j", (resources, field) => {
    expect(() => read(resources)).toThrow(expect.objectContaining({ code: "OutputInvalid" }));
    expect(() => read(resources)).toThrow(field);
  });
});

test.each([
  ["500m", 0.5],
  ["2", 2],
  [".5", 0.5],
  ["1.", 1],
  ["1k", 1_000],
  ["1Ki", 1_024],
  ["1.5Gi", 1.5 * GI],
  ["2e3", 2_000],
  ["2E3", 2_000],
  ["1e-3", 0.001],
  ["1E", undefined],
  ["1ki", undefined],
  ["+1", undefined],
  ["Infinity", undefined],
  ["0x10", undefined],
  ["1".repeat(40), undefined],
])("the quantity %s is %d", (text, number) => {
  expect(quantity(text)).toBe(number);
});
