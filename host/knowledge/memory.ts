/**
 * What the host itself has to remember of a policy from pass to pass, so that a restart forgets no window, rate or owner.
 * Compact: a copy stands in `status.checkpoint`. Plain JSON.
 */
export interface Memory {
  /** By the node's name. */
  readonly nodes: Readonly<Record<string, NodeMemory>>;
  /** Since when every pass has failed, in ms since 1970; absent while passes succeed. */
  readonly failingSinceMs?: number;
}

/** What is remembered of one node. Times are in ms since 1970. */
export interface NodeMemory {
  /** What was found before this policy first wrote: what `onDelete: Restore` brings back. */
  readonly found?: number;
  /** What this policy wrote last: another number is somebody else's. */
  readonly wrote?: number;
}
