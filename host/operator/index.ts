export { followOwnership } from "./owned.ts";
export { openNetwork, type Network } from "./network.ts";
export { startOperator, type Operator, type OperatorOptions, type Watcher } from "./operator.ts";
export { EVENTS } from "./news.ts";
export { policyRegistry } from "./registry.ts";
export { openShards, type Shards } from "./shards.ts";
export { handedOver } from "./hand-over.ts";
