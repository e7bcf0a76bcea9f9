export { serviceEndpoint, type ServiceAddresses } from "./endpoint.ts";
export { startOperator, type Operator, type OperatorOptions, type Watcher } from "./operator.ts";
export { effectsOf, egressEndpoint } from "./grant.ts";
export { followTenants, type Tenants } from "./tenants.ts";
export { policyRegistry } from "./registry.ts";
