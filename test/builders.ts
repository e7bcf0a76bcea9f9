import type { Iteration, Verdict, Wanted } from "../host/knowledge/index.ts";
import {
  NOTHING_BY_HAND,
  policyKey,
  tenantKey,
  type Guardrails,
  type Policy,
  type TargetNode,
} from "../host/policy/index.ts";
import type { Topology, TopologyNode } from "../host/topology/index.ts";

/** A node of a topology with everything that a test does not care about filled in. */
export const node = (name: string, parallelism: number, rest: Partial<TopologyNode> = {}): TopologyNode => ({
  name,
  kind: "Deployment",
  parallelism,
  ready: parallelism,
  min: 1,
  max: 16,
  attributes: {},
  revision: "1",
  ...rest,
});

export const topology = (...nodes: TopologyNode[]): Topology => ({ nodes, edges: [] });

export const wants = (node: string, parallelism: number): Wanted => ({ node, parallelism });

const targetNode = (name: string): TargetNode => ({
  name,
  ref: { apiVersion: "apps/v1", kind: "Deployment", name },
  to: [],
  bounds: { min: 1, max: 16 },
  attributes: {},
});

/** Guardrails that bound nothing but what the nodes themselves say. */
export const guardrails = (rest: Partial<Guardrails> = {}): Guardrails => ({
  totalMax: undefined,
  behavior: undefined,
  zero: { allowed: false, idle: 0, cooldownSeconds: 300, signals: [] },
  windows: [],
  fallback: undefined,
  maxReversalsPerHour: undefined,
  nodes: {},
  ...rest,
});

/** A policy over one node called `split`, every default filled in. */
export const policy = (rest: Partial<Policy> = {}): Policy => ({
  key: policyKey("team-a", "clicks"),
  tenant: tenantKey("team-a"),
  namespace: "team-a",
  name: "clicks",
  uid: "uid-1",
  generation: 1,
  mode: "Enforce",
  serviceAccountName: "scaler",
  target: { kind: "kubernetes" },
  nodes: [targetNode("split")],
  sources: [],
  algorithm: {
    field: "spec.algorithm",
    artifacts: [{ step: "all", reference: "oci://localhost/algorithm:1", field: "spec.algorithm.artifact" }],
    config: "{}",
    pullSecrets: [],
    egress: { hosts: [], services: [] },
    limits: { cpuMs: 250, memoryPages: 256 },
  },
  shadow: undefined,
  intervalSeconds: 15,
  startAfterSeconds: 0,
  guardrails: guardrails(),
  settle: undefined,
  respectDisruptionBudget: false,
  ownership: { onDrift: "Correct", onDelete: "Keep" },
  byHand: NOTHING_BY_HAND,
  knowledge: { keep: 200, history: undefined },
  ...rest,
});

/** A verdict that a guardrail moved: 40 were wanted, 16 are granted. */
export const verdict = (node: string, rest: Partial<Verdict> = {}): Verdict => ({
  node,
  current: 2,
  wanted: 40,
  granted: 16,
  reasons: ["OutOfBounds"],
  ...rest,
});
/** A pass that scaled one node, `split`. */
export const iteration = (rest: Partial<Iteration> = {}): Iteration => ({
  id: "7",
  number: 7,
  at: "2026-03-01T12:00:00.000Z",
  topology: topology(node("split", 2, { ready: 1 })),
  sources: {},
  answers: {},
  decision: { verdicts: [verdict("split")], changes: [] },
  outcome: "Scaled",
  changes: [],
  fault: undefined,
  carry: undefined,
  ...rest,
});
