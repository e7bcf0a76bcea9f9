export { connect, type Cluster, type ConnectOptions } from "./client.ts";
export type {
  Api,
  ApplyOptions,
  Page,
  PageQuery,
  PatchType,
  Selection,
  TenantApi,
  WatchQuery,
} from "./api.ts";
export { isDnsLabel, serviceAccount, type TenantIdentity } from "./identity.ts";
export {
  fieldsOf,
  type KubeObject,
  type ObjectMeta,
  type Place,
  type Resource,
  type Subresource,
} from "./resource.ts";
export { ClusterFault } from "./refusal.ts";
export type { WatchEvent } from "./watch.ts";
export { reflect, REFLECTOR_LIMITS } from "./reflector.ts";
export type { Reflector, ReflectorFigures, ReflectorLimits, ReflectorOptions } from "./reflector.ts";
export { keyOf, objectKey, type ChangeKind, type ObjectKey } from "./store.ts";
export { QUEUE_LIMITS, WorkQueue, type Process, type QueueOptions, type RunOptions } from "./queue.ts";
export { cutToBytes, EVENT_LIMITS, eventRecorder } from "./events.ts";
export type { EventFigures, EventNews, EventRecorder, RecorderOptions, Regarding } from "./events.ts";
export { applyStatus, differs, FIELD_MANAGER, STATUS_BYTES, type StatusOf } from "./apply.ts";
export { jittered, machineTime, pause, type Time } from "./time.ts";
