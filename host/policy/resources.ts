import type { Bounds } from "./target.ts";

/** What an algorithm may change of the instances of a node. */
export interface ResourceRails {
  /** Processors, bytes, slots; what is absent stays as it is. */
  readonly bounds: { readonly cpu?: Bounds; readonly memory?: Bounds; readonly slots?: Bounds };
  /** Share by which a want may differ from what is there before anything moves. */
  readonly tolerance: number;
  /** Between two changes of one node, or of a job as a whole. */
  readonly cooldownSeconds: number;
}
