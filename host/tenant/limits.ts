/** What an algorithm may use. Each limit has one fault code, and the local runner applies the same. */
export const LIMITS = {
  // Ten times the largest module that a lean toolchain makes; reading it costs the sandbox 4 ms.
  moduleBytes: 4 * 1_024 * 1_024,
  // A loop has 3 bytes, and 28 with its fuel counted; what toolchains make grows by a quarter.
  meteredBytes: 8 * 1_024 * 1_024,
  // What a compiler of the runtime takes long over: Go's largest function has 29 KB, and its modules 5,000 of them.
  functions: 50_000,
  functionBytes: 128 * 1_024,
  // Of one function, its parameters among them.
  locals: 2_000,
  // Of all functions together: a compiler makes room for each, in a module that has only to name their number.
  allLocals: 1_000_000,
  // Go's deepest function, a printer of all kinds of values, has 550.
  nesting: 1_000,
  branchTargets: 4_096,
  dataBytes: 4 * 1_024 * 1_024,
  // Imports, exports, globals and sections, of each.
  names: 1_000,
  memories: 1,
  tables: 4,
  // Of 64 KiB.
  memoryPages: 256,
  // What a Tenant may grant. V8 takes one number for all memories of a process, so this is the process's as well.
  mostMemoryPages: 1_024,
  tableElements: 10_000,
  inputBytes: 1_024 * 1_024,
  outputBytes: 256 * 1_024,
  // Deeper JSON than this makes recursive readers overflow; no plan needs it.
  outputDepth: 32,
  carryBytes: 16 * 1_024,
  configBytes: 32 * 1_024,
  blockBytes: 4 * 1_024 * 1_024,
  // A block costs the host about 100 bytes of bookkeeping, whatever its size.
  blocks: 65_536,
  logLines: 64,
  logBytes: 16 * 1_024,
  // An algorithm's error is one sentence; a longer one would fill conditions.
  errorBytes: 4 * 1_024,
  // Of a step. Each costs one more run of it, and a request over the network.
  effects: 8,
  // The JSON and the body of a request together: larger questions are no questions.
  effectRequestBytes: 64 * 1_024,
  // A quarter of the largest input of a step.
  effectAnswerBytes: 256 * 1_024,
  // A longer body is kept apart from the journal: the answers of many passes are the same, and are kept once.
  journalBodyBytes: 64 * 1_024,
  cpuMs: 250,
  // What a step may burn for each millisecond that it may take: 50 million for the default. A loop burns as much in a tenth of
  // the time, and no instruction and no call takes half of it, so it is the fuel that ends a step and not the clock; but for
  // one that follows pointers through all of a large memory, which no weight that is fair to others would hold.
  fuelPerCpuMs: 200_000,
  wallMs: { monitor: 10_000, analyze: 1_000, plan: 1_000 },
  compileMs: 2_000,
} as const;
