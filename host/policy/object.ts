import type { Static } from "typebox";
import type { spec } from "./schema/spec.ts";
import type { status } from "./schema/status.ts";

/** What a user asks for, with every default in it. */
export type ScalingPolicySpec = Static<typeof spec>;
/** What the operator says of a policy; it is patched into the status subresource. */
export type ScalingPolicyStatus = Static<typeof status>;
/** A `metav1.Condition`. */
export type PolicyCondition = NonNullable<ScalingPolicyStatus["conditions"]>[number];

/** A ScalingPolicy as the API server returns it. */
export interface ScalingPolicyObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly generation: number;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: ScalingPolicySpec;
  readonly status?: ScalingPolicyStatus;
}
