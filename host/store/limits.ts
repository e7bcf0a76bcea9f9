export const LIMITS = {
  // Messages that are waiting when a transaction begins are one transaction: 1,000 rows of 3 KB are about 50 ms here.
  groupCalls: 1_000,
  // 10,000 policies that all begin a pass in one second, twice.
  waitingCalls: 20_000,
  // Three answers of 256 KiB and an input of 1 MiB, with room for the escapes of JSON in JSON.
  bodyCharacters: 8 * 1_024 * 1_024,
  // What steps are offered of the past.
  historyBytes: 256 * 1_024,
  // What one call of `entries` returns at most: more than a terminal or a page shows.
  entries: 1_000,
  // How long another process may hold the file before a call fails.
  busyMs: 2_000,
  // After a checkpoint the write-ahead log is cut to this.
  logBytes: 64 * 1_024 * 1_024,
  // The thread's own heap: rows pass through it one at a time.
  threadHeapMb: 256,
} as const;
