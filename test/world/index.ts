// The world the tests run Sluice in: real servers on loopback, gone without a trace when the test is over or dies.
export { cluster, type Cluster } from "./cluster.ts";
export { exposition, type Exposition } from "./exposition.ts";
export { processNode, type PodProcess, type ProcessNode } from "./processes.ts";
export { prometheus, type Prometheus } from "./prometheus.ts";
export { registry } from "./registry.ts";
export { sharedCluster } from "./session.ts";
