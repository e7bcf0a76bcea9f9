export { drivers } from "./drivers.ts";
export { kubernetesDriver } from "./kubernetes.ts";
export { followTargets, type TargetKind, type Targets } from "./targets.ts";
