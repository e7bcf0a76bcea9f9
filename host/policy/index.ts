export * from "./policy.ts";
export { durationMs } from "./duration.ts";
export { parsePolicy, type Parsed } from "./parse.ts";
export type { ScalingPolicyStatus } from "./object.ts";
export { scalingPolicyCrd } from "./schema/crd.ts";
export { scalingPolicy as scalingPolicySchema } from "./schema/spec.ts";
export { NOT_YET, RULES } from "./schema/field.ts";
export { toStructural, type Written } from "./schema/structural.ts";
