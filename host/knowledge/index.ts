export type {
  Change,
  ChangeOutcome,
  Compared,
  Decision,
  Followed,
  Iteration,
  IterationOutcome,
  LogLine,
  Observation,
  Observations,
  Past,
  PastEntry,
  Reason,
  Sample,
  ShadowOutcome,
  Trouble,
  Verdict,
  Wanted,
} from "./iteration.ts";
export type { Memory, Moment, NodeMemory, Refused, Settling } from "./memory.ts";
export type {
  EffectKind,
  Journal,
  JournalAnswer,
  JournalBodies,
  JournalBody,
  JournalEntry,
} from "./journal.ts";
