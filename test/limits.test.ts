import { describe, expect, test } from "vitest";
import { Algorithms, type Admission } from "../host/algorithm/index.ts";
import { allowedLimits, NO_TENANT, parsePolicy, parseTenant, type StepLimits } from "../host/policy/index.ts";
import { LIMITS } from "../host/tenant/index.ts";
import { policy } from "./builders.ts";
import { manifest, type Changes } from "./manifest.ts";

const asking = (limits: Partial<StepLimits>) =>
  policy({ algorithm: { ...policy().algorithm, limits: { cpuMs: 250, memoryPages: 256, ...limits } } });
const ceiling = (limits: Partial<StepLimits> = {}): StepLimits => ({
  cpuMs: 2_000,
  memoryPages: 256,
  ...limits,
});

const tenantOf = (limits: object | undefined) =>
  parseTenant({ metadata: { name: "a" }, spec: { namespaces: ["team-a"], limits } });

describe("the limits of a step", () => {
  test("are what the policy asks for, inside what its tenant allows", () => {
    expect(allowedLimits(asking({ cpuMs: 1_000, memoryPages: 32 }), ceiling())).toEqual({
      cpuMs: 1_000,
      memoryPages: 32,
    });
    const granted = ceiling({ memoryPages: 1_024 });
    expect(allowedLimits(asking({ memoryPages: 1_024 }), granted)).toEqual({
      cpuMs: 250,
      memoryPages: 1_024,
    });
  });

  test("are lowered to the tenant's where nothing is asked for", () => {
    expect(allowedLimits(asking({}), ceiling({ cpuMs: 100, memoryPages: 16 }))).toEqual({
      cpuMs: 100,
      memoryPages: 16,
    });
  });

  test.each([
    [
      { memoryPages: 512 },
      "spec.algorithm.limits.memory",
      "A step of this namespace may have 16384Ki, and 32768Ki is asked for",
    ],
    [
      { cpuMs: 2_001 },
      "spec.algorithm.limits.time",
      "A step of this namespace may have 2000ms, and 2001ms is asked for",
    ],
  ])("%j above the tenant's are refused, by the field that asks", (limits, field, message) => {
    expect(() => allowedLimits(asking(limits), NO_TENANT.limits)).toThrow(
      expect.objectContaining({ code: "PolicyInvalid", field, message }),
    );
  });

  test("are 16Mi and 250ms in a policy that says nothing, and whole pages in one that does", () => {
    const limitsOf = (changes: Changes) => {
      const parsed = parsePolicy(manifest(changes));
      if (!parsed.ok) throw parsed.fault;
      return parsed.value.algorithm.limits;
    };
    expect(limitsOf({})).toEqual({ cpuMs: 250, memoryPages: 256 });
    expect(limitsOf({ "spec.algorithm.limits": { memory: "200Ki", time: "1s" } })).toEqual({
      cpuMs: 1_000,
      memoryPages: 3,
    });
    expect(limitsOf({ "spec.algorithm.limits": { memory: "64Mi" } }).memoryPages).toBe(
      LIMITS.mostMemoryPages,
    );
  });
});

describe("a Tenant", () => {
  test("allows 16Mi and two seconds a step if it says nothing, which is what nobody's namespace has", () => {
    expect(NO_TENANT.limits).toEqual({ cpuMs: 2_000, memoryPages: 256 });
    expect(tenantOf(undefined)).toMatchObject({ ok: true, value: { ceiling: { limits: NO_TENANT.limits } } });
  });

  test("may allow less, or up to 64Mi", () => {
    expect(tenantOf({ memory: "64Mi", time: "100ms" })).toMatchObject({
      value: { ceiling: { limits: { cpuMs: 100, memoryPages: 1_024 } } },
    });
    expect(tenantOf({ memory: "65Mi" })).toMatchObject({
      ok: false,
      problems: [{ field: "spec.limits.memory" }],
    });
    expect(tenantOf({ time: "3s" })).toMatchObject({ ok: false, problems: [{ field: "spec.limits.time" }] });
  });
});

describe("the algorithm of a policy", () => {
  const seen: number[] = [];
  const admission: Admission = {
    inspect: async ({ memoryPages }) => {
      seen.push(memoryPages);
      return { metadata: undefined };
    },
    checkConfig: async () => [],
  };
  const registry = { resolve: async () => ({ digest: "sha256:1" }), has: async () => true };

  test("is admitted under its limits, again when its tenant's change, and not if it asks for too much", async () => {
    let most = ceiling({ memoryPages: 1_024 });
    const algorithms = new Algorithms(
      registry,
      admission,
      () => 0,
      (one) => allowedLimits(one, most),
    );
    const large = asking({ memoryPages: 512 });
    await algorithms.load(large, []);
    await algorithms.load(large, []);
    expect(seen).toEqual([512]);
    most = ceiling();
    await expect(algorithms.load(large, [])).rejects.toMatchObject({
      code: "PolicyInvalid",
      field: "spec.algorithm.limits.memory",
    });
    expect(seen).toEqual([512]);
    const modest = asking({});
    for (const memoryPages of [256, 128, 128]) {
      most = ceiling({ memoryPages });
      await algorithms.load({ ...modest, generation: 2 }, []);
    }
    expect(seen).toEqual([512, 256, 128]);
  });
});
