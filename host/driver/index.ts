export { kubernetesDriver } from "./kubernetes.ts";
