import { Fault } from "../fault/index.ts";
import type { Driver } from "../loop/index.ts";
import type { Policy, Target } from "../policy/index.ts";

/** One driver for each kind of target that is acted on. */
export type Drivers = Readonly<Partial<Record<Target["kind"], Driver>>>;

/** Hands every call to the driver of the policy's kind of target. A kind that has none is `NotSupported`. */
export function drivers(byKind: Drivers): Driver {
  const of = ({ target: { kind } }: Policy): Driver => {
    const driver = byKind[kind];
    if (driver !== undefined) return driver;
    throw new Fault("NotSupported", `This operator has no driver for ${kind}`, {
      field: `spec.target.${kind}`,
    });
  };
  return {
    discover: async (policy) => of(policy).discover(policy),
    rescaleScope: (policy) => of(policy).rescaleScope(policy),
    meant: (policy, topology, wanted) => of(policy).meant?.(policy, topology, wanted) ?? wanted,
    order: (policy, changes) => of(policy).order(policy, changes),
    scale: async (policy, changes, permit) => of(policy).scale(policy, changes, permit),
    writer: async (policy, node) => of(policy).writer?.(policy, node),
    tidy: async (policy, permit, now) => of(policy).tidy?.(policy, permit, now),
    trouble: async (policy, node, since) => of(policy).trouble?.(policy, node, since),
  };
}
