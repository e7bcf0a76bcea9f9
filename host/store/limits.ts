export const LIMITS = {
  // Messages that are waiting when a transaction begins are one transaction: 1,000 rows of 3 KB are about 50 ms here.
  groupCalls: 1_000,
  // 10,000 policies that all begin a pass in one second, twice.
  waitingCalls: 20_000,
  // Three answers of 256 KiB and an input of 1 MiB, with room for the escapes of JSON in JSON.
  bodyCharacters: 8 * 1_024 * 1_024,
  // No character is more bytes than this in UTF-8, of those that a string counts as one.
  bytesACharacter: 3,
  // What is kept of one policy: 200 passes with their journals are a tenth of it, and 10,000 policies fit a volume of 40 GiB.
  policyBytes: 4 * 1_024 * 1_024,
  // A pass in so many is kept whole, so that no more than these are lost with it.
  fullEvery: 20,
  // A difference that is not this many times smaller than the whole is not worth its dependence.
  deltaShare: 2,
  // More corrupt passes in a row than this are the volume's trouble, not one record's.
  newest: 3,
  // Corrupt records that are kept of a policy to be looked at.
  aside: 20,
  // What steps are offered of the past.
  historyBytes: 256 * 1_024,
  // What one call of `entries` returns at most: more than a terminal or a page shows.
  entries: 1_000,
  // How long another process may hold the file before a call fails.
  busyMs: 2_000,
  // After a checkpoint the write-ahead log is cut to this.
  logBytes: 64 * 1_024 * 1_024,
  // To PostgreSQL, of each replica; half of a small server's hundred are left with a dozen replicas.
  connections: 4,
  connectSeconds: 5,
  // A connection that nobody used for so long is closed.
  idleSeconds: 60,
  // A statement of ours takes a few ms; the server ends one that takes longer, and gives back the locks of who is gone.
  statementMs: 5_000,
  // A transaction of 1,000 calls takes a second here; a server that needs longer than this hangs.
  answerMs: 10_000,
  // Bringing a large database to a new version, or waiting for another replica that does.
  migrationMs: 60_000,
  // The thread's own heap: rows pass through it one at a time.
  threadHeapMb: 256,
} as const;
