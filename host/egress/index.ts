export { brokerPlaces } from "./brokers.ts";
export { egress, type Answer, type Egress, type EgressOptions } from "./egress.ts";
export type { EffectError } from "./denial.ts";
export type { EgressCredential, Grant, Revealed } from "./grant.ts";
export type { EffectRequest } from "./request.ts";
export type { Resolve } from "./resolve.ts";
export type { Endpoint } from "./route.ts";
