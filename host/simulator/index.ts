export { scaleNode, startingState, step, type AppState, type NodeState } from "./application.ts";
export { loadAt } from "./load.ts";
export { simulate, SIMULATED_POLICY, type Simulation } from "./simulation.ts";
