export { guard, type Ground, type Guarded } from "./guardrails/index.ts";
export { fallbackInMs } from "./fallback.ts";
export { iterate } from "./loop.ts";
export { readPlan, type Plan } from "./plan.ts";
export { compare, shadowOf } from "./shadow.ts";
export { Shadows, type ShadowStanding, type ShadowWorld } from "./shadows.ts";
export { followUpSeconds, nextPassSeconds } from "./schedule.ts";
export { PassEnded } from "./world.ts";
export type {
  Clock,
  Driver,
  Engine,
  PassAnswers,
  PassInput,
  Permit,
  Sources,
  Store,
  World,
  Writer,
} from "./world.ts";
