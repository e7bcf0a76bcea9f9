const MIB = 1_024 * 1_024;

/** What one artifact, one pull and the memory of them may cost. */
export const ARTIFACT_LIMITS = {
  referenceCharacters: 512,
  // The distribution specification asks clients and registries to handle manifests of at least this size.
  manifestBytes: 4 * MIB,
  // An index lists platforms: real ones have a dozen.
  indexEntries: 256,
  layers: 64,
  // What an algorithm may be unless the administrator raises it, and how far that goes.
  moduleBytes: 4 * MIB,
  hardModuleBytes: 16 * MIB,
  // A packed image layer: WebAssembly compresses to a third or so; what unpacks to more than this is a bomb.
  unpackedRatio: 20,
  // The whole pull, tokens and redirects included: 4 MiB in it need 140 KB/s.
  pullMs: 30_000,
  // A push may leave over a slow line.
  pushMs: 120_000,
  connectMs: 5_000,
  // Nothing at all for so long is a connection that broke without saying so.
  idleMs: 10_000,
  // Judged from `speedGraceMs` on; a byte now and then would otherwise hold a pull until its deadline.
  bytesPerSecond: 8 * 1_024,
  speedGraceMs: 3_000,
  redirects: 3,
  connectionsPerHost: 4,
  challengeCharacters: 4_096,
  tokenBytes: 64 * 1_024,
  // Tokens are cheap to renew, and one that was withdrawn shall not be remembered for long.
  tokenSeconds: 300,
  // What a token answer that does not say so is good for, by the token specification.
  unsaidTokenSeconds: 60,
  tokens: 1_024,
  // A Secret holds at most 1 MiB; a docker config with a hundred registries is 20 KB.
  dockerConfigBytes: 256 * 1_024,
  dockerConfigHosts: 256,
  credentialCharacters: 16 * 1_024,
  longestRetryAfterSeconds: 3_600,
  // Modules on disk: of everybody, and the share of one tenant, so that none can push out what others run.
  cacheBytes: 512 * MIB,
  tenantCacheBytes: 64 * MIB,
  // Each pull holds at most one module in memory.
  pulls: 16,
  pullsPerTenant: 2,
} as const;
