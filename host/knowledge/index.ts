export type {
  Change,
  ChangeOutcome,
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
