export { prometheusSource, type Asked } from "./prometheus.ts";
export { sources, type Endpoint, type TenantSources } from "./sources.ts";
