export const LIMITS = {
  // What a broker may answer at once: 10,000 partitions of a topic take half of it, and 3 bytes of it can become 100 in memory.
  frameBytes: 1_024 * 1_024,
  // For one address, and for one of several brokers to say where the others are; the next one still has time after it.
  connectMs: 2_000,
  // From the first address to the last word of SASL; whoever waits for a connection has a time-out of its own.
  openMs: 6_000,
  // Of what a name resolves to every address is checked, and this many are tried.
  addresses: 4,
  // Connections of a tenant: ten brokers, asked with one credential and a half.
  connections: 16,
  // Connections of all tenants together; who has been idle longest loses its own first.
  connectionsInAll: 4_000,
  // Longer than the usual interval of 15 s, so that a policy keeps its connections from pass to pass.
  idleMs: 30_000,
  // Requests on their way over one connection; a broker answers one after the other.
  requests: 64,
  // Partitions that are read of a topic or a group: the input of a step is 1 MiB in all.
  partitions: 1_000,
  // A server of SCRAM says how often a password is hashed, and could say 2^31: Kafka's own is 4,096.
  scramIterations: 65_536,
  // Brokers' own words in a message; longer ones are cut.
  saysCharacters: 128,
} as const;
