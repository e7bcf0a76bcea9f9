export { drivers } from "./drivers.ts";
export { jobsDriver } from "./jobs/index.ts";
export { flinkAddress } from "./flink/address.ts";
export { flinkDriver, type FlinkDriverOptions } from "./flink/driver.ts";
export { kafkaStreamsDriver } from "./kafka-streams/index.ts";
export { kubernetesDriver } from "./kubernetes.ts";
export { followTargets, type TargetKind, type Targets } from "./targets.ts";
