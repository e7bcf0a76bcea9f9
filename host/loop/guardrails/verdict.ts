import type { Reason, Verdict } from "../../knowledge/index.ts";

/** Grants another number; a reason is added only where that really moves it. */
export const moved = (verdict: Verdict, granted: number, reason: Reason): Verdict =>
  granted === verdict.granted ? verdict : { ...verdict, granted, reasons: [...verdict.reasons, reason] };
