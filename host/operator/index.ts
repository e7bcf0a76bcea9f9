export { openNetwork, type Network } from "./network.ts";
export { startOperator, type Operator, type OperatorOptions, type Watcher } from "./operator.ts";
export { policyRegistry } from "./registry.ts";
