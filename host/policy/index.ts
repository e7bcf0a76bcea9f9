export * from "./policy.ts";
export { durationMs } from "./duration.ts";
export { parsePolicy, type Parsed } from "./parse.ts";
export type { PolicyCondition, ScalingPolicyObject, ScalingPolicySpec, ScalingPolicyStatus } from "./object.ts";
export { GROUP, KIND, PLURAL, scalingPolicyCrd, VERSION } from "./schema/crd.ts";
export { policyReference, type ReferenceField } from "./schema/reference.ts";
