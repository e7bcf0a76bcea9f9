export type {
  Change,
  ChangeOutcome,
  Decision,
  Iteration,
  IterationOutcome,
  LogLine,
  Observation,
  Observations,
  Past,
  PastEntry,
  Reason,
  Sample,
  Verdict,
  Wanted,
} from "./iteration.ts";
export type { Memory, Moment, NodeMemory } from "./memory.ts";
export type {
  EffectKind,
  Journal,
  JournalAnswer,
  JournalBodies,
  JournalBody,
  JournalEntry,
} from "./journal.ts";
