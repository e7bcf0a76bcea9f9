export { jobManagers, unavailable, type FlinkRest, type JobManagers } from "./rest.ts";
export { count, fields, list, text } from "./read.ts";
export { readJob, readRequirements, writeRequirements } from "./job.ts";
export type { Job, Requirements, Vertex } from "./job.ts";
export { findJob, hasEnded, runningJobs } from "./find.ts";
export { nameVertices, type Named } from "./names.ts";
export { vertexIdOf } from "./vertex-id.ts";
export { LIMITS as FLINK_LIMITS } from "./limits.ts";
