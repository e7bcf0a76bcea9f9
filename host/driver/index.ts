export { drivers } from "./drivers.ts";
export { jobsDriver } from "./jobs/index.ts";
export { kubernetesDriver } from "./kubernetes.ts";
export { followTargets, type TargetKind, type Targets } from "./targets.ts";
