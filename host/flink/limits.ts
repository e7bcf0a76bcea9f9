export const LIMITS = {
  // A job of a hundred vertices answers with some 200 KiB, a cluster of a thousand TaskManagers with one MiB.
  answerBytes: 4 * 1_024 * 1_024,
  // An error's page is read up to this.
  errorBytes: 16 * 1_024,
  // A JobManager answers within milliseconds; one that collects garbage within seconds.
  requestMs: 5_000,
  // As many nodes as a policy may have.
  vertices: 100,
  // A TaskManager's list is for finding idle ones: beyond this nobody is looked for.
  taskManagers: 2_000,
  // Flink's own bound of a vertex's parallelism.
  parallelism: 32_768,
  // A JobManager's own words in a message; longer ones are cut.
  saysCharacters: 256,
  // Connections of a tenant to one JobManager.
  connections: 4,
  // Tenants whose connections are kept; who has been idle longest loses them first.
  tenants: 1_000,
  // Longer than the usual interval of 15 s.
  idleMs: 30_000,
} as const;
