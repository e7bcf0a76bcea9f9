import { Type } from "typebox";
import { block, decimal, duration, minUpToMax, whole } from "./field.ts";
import { cpu, instanceMemory, leastUpToMost } from "./quantity.ts";

export const resources = block(
  "What an algorithm may change of each instance, beside how many there are. Without this block it changes none of it. An instance is replaced by one that has the new resources: a rollout, or a restart of the job.",
  {
    cpu: Type.Optional(
      block(
        "Processors that an instance requests.",
        { min: cpu("The least."), max: cpu("The most.") },
        { rules: [leastUpToMost] },
      ),
    ),
    memory: Type.Optional(
      block(
        "Memory that an instance requests.",
        { min: instanceMemory("The least."), max: instanceMemory("The most.") },
        { rules: [leastUpToMost] },
      ),
    ),
    slots: Type.Optional(
      block(
        "Slots of a TaskManager; only where a FlinkDeployment runs the job.",
        { min: whole("The fewest.", 1, 1_024), max: whole("The most.", 1, 1_024) },
        { rules: [minUpToMax] },
      ),
    ),
    tolerance: decimal(
      "Share by which a want may differ from what is there before anything moves.",
      { min: 0, max: 1 },
      {
        default: 0.1,
      },
    ),
    cooldown: duration(
      "Time between two changes of a node's resources; of a whole Flink job's.",
      "0s",
      "24h",
      {
        default: "10m",
      },
    ),
  },
  {
    rules: [
      {
        cel: "has(self.cpu) || has(self.memory) || has(self.slots)",
        message: "name at least one of cpu, memory and slots, with its least and most",
        holds: ({ cpu: one, memory, slots }) =>
          one !== undefined || memory !== undefined || slots !== undefined,
      },
    ],
  },
);
