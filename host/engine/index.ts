export type { EffectAnswer, EffectRequest, Perform } from "./effects.ts";
export {
  startEngine,
  type EngineOptions,
  type Isolation,
  type PassOrder,
  type SandboxEngine,
} from "./engine.ts";
export type { Inspection, StepModule, Walls } from "./message.ts";
export { engineFor, type UsedModule } from "./port.ts";
export type { Recorded } from "./journal.ts";
