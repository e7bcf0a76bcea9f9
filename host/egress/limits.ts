export const LIMITS = {
  // A request with all its redirects, from the first look-up to the last byte: a Monitor step has 10 s for eight of them.
  totalMs: 3_000,
  // For one address; the next one still has time after it.
  connectMs: 1_000,
  // Of what a name resolves to every address is checked, and this many are tried.
  addresses: 4,
  redirects: 3,
  urlCharacters: 2_048,
  requestHeaders: 32,
  requestHeaderBytes: 8 * 1_024,
  // Larger questions are no questions; the journal keeps bodies up to this in full.
  requestBytes: 64 * 1_024,
  // A quarter of the largest input of a step.
  answerBytes: 256 * 1_024,
  answerHeaderBytes: 16 * 1_024,
  // All that one connection may bring: headers, framing and interim answers count as well, since they cost as much.
  wireBytes: 384 * 1_024,
  // `100 Continue` or `103 Early Hints`: a server that means well sends one or two.
  interimAnswers: 4,
  budgetSeconds: 60,
} as const;
