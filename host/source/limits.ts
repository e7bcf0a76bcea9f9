export const LIMITS = {
  // What one source may answer: the input of a step is 1 MiB in all.
  answerBytes: 1_024 * 1_024,
  // An error's page is read up to this, so that the connection can be used again.
  dumpedBytes: 16 * 1_024,
  // One for every instance of a hundred nodes, ten of each.
  series: 1_000,
  // A Prometheus's own words in a message; longer ones are cut.
  saysCharacters: 256,
  // Connections of a tenant to one origin; further requests wait for one, inside their time-out.
  connections: 8,
  // A connection that nobody waits for any longer is given up.
  connectMs: 10_000,
  // Tenants whose connections are kept; who has been idle longest loses them first.
  tenants: 1_000,
  // Longer than the usual interval of 15 s, so that a policy keeps its connection from pass to pass.
  idleMs: 30_000,
} as const;
