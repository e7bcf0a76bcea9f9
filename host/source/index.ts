export { sources, type Endpoint, type TenantSources } from "./sources.ts";
