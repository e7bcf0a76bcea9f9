import { expect } from "vitest";
import type { Asked } from "../kube/gateway.ts";

/** Every write that was ever made: as the tenant's account, on a version that was read, of a number within the bounds. */
export function checkHistory(asked: readonly Asked[], team: string): void {
  for (const { as, method, isScale, body } of asked) {
    if (method === "GET" || !isScale) continue;
    const { metadata, spec } = JSON.parse(body) as {
      metadata: { resourceVersion?: string; uid?: string };
      spec: { replicas: number };
    };
    expect(as).toBe(`system:serviceaccount:${team}:scaler`);
    expect(metadata.resourceVersion).toMatch(/^\d+$/);
    expect(metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(spec.replicas).toBeGreaterThanOrEqual(1);
    expect(spec.replicas).toBeLessThanOrEqual(32);
  }
}
