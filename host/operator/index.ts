export { serviceEndpoint, type ServiceAddresses } from "./endpoint.ts";
export { startOperator, type Operator, type OperatorOptions, type Watcher } from "./operator.ts";
export { policyRegistry } from "./registry.ts";
