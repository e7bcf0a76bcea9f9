export * from "./policy.ts";
export type * from "./target.ts";
export { allowedLimits } from "./limits.ts";
export { durationMs } from "./duration.ts";
export { quantity } from "./quantity.ts";
export type { ResourceRails } from "./resources.ts";
export { openWindows } from "./window.ts";
export { parsePolicy, type Parsed } from "./parse.ts";
export type { ScalingPolicyStatus } from "./object.ts";
export { NO_TENANT, parseTenant, type Ceiling, type Tenant } from "./tenant.ts";
export {
  parseClusterCredential,
  parseCredential,
  type BoundTo,
  type ClusterCredential,
  type Credential,
  type Proof,
} from "./credential.ts";
export { clusterCredentialCrd, credentialCrd, scalingPolicyCrd, tenantCrd } from "./schema/crd.ts";
export {
  clusterCredential as clusterCredentialSchema,
  credential as credentialSchema,
} from "./schema/credential.ts";
export { tenant as tenantSchema } from "./schema/tenant.ts";
export { scalingPolicy as scalingPolicySchema } from "./schema/spec.ts";
export { NOT_YET, RULES } from "./schema/field.ts";
export { toStructural, type Written } from "./schema/structural.ts";
