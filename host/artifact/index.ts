export { layoutArtifacts, registryArtifacts } from "./artifacts.ts";
export type { Artifacts, RegistryArtifactsOptions } from "./artifacts.ts";
export { ModuleCache } from "./cache.ts";
export { credentialsOf, type Credentials } from "./credential.ts";
export { digestOf } from "./digest.ts";
export { writeLayout } from "./layout.ts";
export { ARTIFACT_LIMITS } from "./limits.ts";
export { formatReference, parseReference, type Reference } from "./reference.ts";
export { Registry, type RegistryOptions } from "./registry.ts";
