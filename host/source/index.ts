export { flinkSource } from "./flink.ts";
export { sources, type CredentialOf, type Endpoint, type TenantSources } from "./sources.ts";
