import type { Changes } from "./manifest.ts";

/** A policy that is refused: what is wrong in a sentence, what makes it wrong, and what the API server says. */
export type Wrong = readonly [sentence: string, changes: Changes, field: string, says: string];

const NODE = "spec.target.kubernetes.nodes.0";
const STEP = { artifact: "oci://registry.example/a:1" };
const KAFKA = { bootstrap: [{ service: { name: "kafka", port: 9092 } }], group: "g", topic: "t" };
const REF = { apiVersion: "apps/v1", kind: "Deployment", name: "x" };
const FLINK = { jobManager: { service: { name: "jm", port: 8081 } } };
const named = (name: string) => ({ name, ref: { ...REF, name } });

/** Refused by rules of ours: the message is the same wherever the policy is checked. */
export const AGAINST_RULES: readonly Wrong[] = [
  ["no kind of target", { "spec.target": {} }, "spec.target", "name exactly one kind of target: kubernetes, flink, kafkaStreams or jobs"],
  ["two kinds of target", { "spec.target.flink": FLINK }, "spec.target", "name exactly one kind of target: kubernetes, flink, kafkaStreams or jobs"],
  ["a node's min above its max", { [`${NODE}.min`]: 5, [`${NODE}.max`]: 4 }, "spec.target.kubernetes.nodes[0]", "min is above max: lower min or raise max"],
  ["a node's min above the max of all", { [`${NODE}.min`]: 33 }, "spec", "a node's min is above its max; what a node does not set comes from guardrails.bounds: set both on the node, or change guardrails.bounds"],
  ["bounds the wrong way round", { "spec.guardrails.bounds": { min: 9, max: 8 } }, "spec.guardrails.bounds", "min is above max: lower min or raise max"],
  ["a total that the minima exceed", { "spec.guardrails.total": { max: 1 } }, "spec", "guardrails.total.max is below the sum of the nodes' min: raise it, or lower min"],
  ["a node that is called constructor", { "spec.target.kubernetes.nodes": [named("constructor")] }, "spec.target.kubernetes.nodes[0].name", "is a name that every JavaScript object knows, and a plan may not use: choose another"],
  ["a node that is called prototype", { "spec.target.kubernetes.nodes": [named("prototype")] }, "spec.target.kubernetes.nodes[0].name", "is a name that every JavaScript object knows, and a plan may not use: choose another"],
  ["a source that is called constructor", { "spec.sources.0.name": "constructor" }, "spec.sources[0].name", "is a name that every JavaScript object knows, and a plan may not use: choose another"],
  ["a source of no kind", { "spec.sources.0.prometheus": undefined }, "spec.sources[0]", "name exactly one kind of source: prometheus, kafka, resource, http, flink or cron"],
  ["a source of two kinds", { "spec.sources.0.kafka": KAFKA }, "spec.sources[0]", "name exactly one kind of source: prometheus, kafka, resource, http, flink or cron"],
  ["a Prometheus without an address", { "spec.sources.0.prometheus.service": undefined }, "spec.sources[0].prometheus", "name exactly one of service and url"],
  ["a source for a node and by label", { "spec.sources.0.for": "split", "spec.sources.0.byLabel": { label: "operator" } }, "spec.sources[0]", "values belong to one node (for) or to the node that a label names (byLabel): remove one of them"],
  ["a time-out above ten seconds", { "spec.sources.0.timeout": "11s" }, "spec.sources[0].timeout", "must be a whole number and a unit (ms, s, m or h), from 100ms to 10s, such as 5s"],
  ["a duration without a unit", { "spec.schedule.interval": "15" }, "spec.schedule.interval", "must be a whole number and a unit (ms, s, m or h), from 1s to 24h, such as 15s"],
  ["an interval below a second", { "spec.schedule.interval": "999ms" }, "spec.schedule.interval", "must be a whole number and a unit (ms, s, m or h), from 1s to 24h, such as 15s"],
  ["a compound duration", { "spec.schedule.startAfter": "1m30s" }, "spec.schedule.startAfter", "must be a whole number and a unit (ms, s, m or h), from 0s to 24h, such as 0s"],
  ["no algorithm", { "spec.algorithm": {} }, "spec.algorithm", "name exactly one of artifact (for all steps), ref, or the steps with an artifact each"],
  ["an artifact for all steps and one for a step", { "spec.algorithm.plan": STEP }, "spec.algorithm", "name exactly one of artifact (for all steps), ref, or the steps with an artifact each"],
  ["steps of which none plans", { "spec.algorithm": { monitor: STEP } }, "spec.algorithm", "nothing plans: add plan with the artifact that exports it"],
  ["a step from two places", { "spec.algorithm": { plan: { ...STEP, ref: { name: "holt" } } } }, "spec.algorithm.plan", "name exactly one of artifact, ref and http for the step"],
  ["an artifact that is no reference", { "spec.algorithm.artifact": "https://registry.example/a:1" }, "spec.algorithm.artifact", "is not a reference: write oci://host/repository:tag or oci://host/repository@sha256:digest"],
  ["an artifact without a version", { "spec.algorithm.artifact": "oci://registry.example/a" }, "spec.algorithm.artifact", "names no version: add a tag, such as :1.0.0, or a digest, @sha256:..."],
  ["a digest that is cut short", { "spec.algorithm.artifact": "oci://registry.example/a@sha256:abc" }, "spec.algorithm.artifact", "the digest is not whole: write @sha256: and 64 hexadecimal digits in small letters, as push prints it"],
  ["too much time for a step", { "spec.algorithm.limits.time": "3s" }, "spec.algorithm.limits.time", "must be a whole number and a unit (ms, s, m or h), from 1ms to 2s, such as 250ms"],
  ["memory without a unit", { "spec.algorithm.limits.memory": "16" }, "spec.algorithm.limits.memory", "must be a whole number and a unit, Ki or Mi, from 64Ki to 64Mi, such as 16Mi"],
  ["less memory than a page", { "spec.algorithm.limits.memory": "63Ki" }, "spec.algorithm.limits.memory", "must be a whole number and a unit, Ki or Mi, from 64Ki to 64Mi, such as 16Mi"],
  ["more memory than a Tenant can grant", { "spec.algorithm.limits.memory": "65Mi" }, "spec.algorithm.limits.memory", "must be a whole number and a unit, Ki or Mi, from 64Ki to 64Mi, such as 16Mi"],
  ["a history finer than it is long", { "spec.knowledge.history": { span: "1m", every: "2m" } }, "spec.knowledge.history", "every is longer than span: lower every, or raise span"],
  ["a window that does nothing", { "spec.windows": [{ name: "nights", start: "0 22 * * *", end: "0 6 * * *" }] }, "spec.windows[0]", "a window has other bounds or a freeze: name exactly one"],
  ["resources of which none may change", { "spec.guardrails.resources": { tolerance: 0 } }, "spec.guardrails.resources", "name at least one of cpu, memory and slots, with its least and most"],
  ["processors that are no quantity", { "spec.guardrails.resources": { cpu: { min: "0.5", max: "2" } } }, "spec.guardrails.resources.cpu.min", "must be a quantity such as 500m or 2: thousandths or whole processors"],
  ["memory without a unit that is read", { "spec.guardrails.resources": { memory: { min: "512M", max: "2Gi" } } }, "spec.guardrails.resources.memory.min", "must be a quantity such as 512Mi or 4Gi"],
  ["the least processors above the most", { "spec.guardrails.resources": { cpu: { min: "2", max: "1999m" } } }, "spec.guardrails.resources.cpu", "min is above max: lower min or raise max"],
  ["the least memory above the most", { "spec.guardrails.resources": { memory: { min: "1Gi", max: "1023Mi" } } }, "spec.guardrails.resources.memory", "min is above max: lower min or raise max"],
  ["the fewest slots above the most", { "spec.guardrails.resources": { slots: { min: 5, max: 4 } } }, "spec.guardrails.resources.slots", "min is above max: lower min or raise max"],
  ["a fallback without a number", { "spec.guardrails.fallback": { after: "3m" } }, "spec.guardrails.fallback", "CurrentIfHigher and Static need a number: add parallelism, or set behavior to Current"],
  ["two ways to a JobManager", { "spec.target": { flink: { jobManager: { ...FLINK.jobManager, flinkDeployment: { name: "x" } } } } }, "spec.target.flink.jobManager", "name exactly one of service, flinkDeployment or flinkSessionJob"],
  ["a strategy without its figures", { "spec.target": { jobs: { name: "work", templateRef: REF, strategy: "Custom" } } }, "spec.target.jobs", "strategy Custom needs its figures: add custom with deduct and runningPercent"],
]; // prettier-ignore

/** Refused by the shape alone, each check in its own words: here the API server's. */
export const OUT_OF_SHAPE: readonly Wrong[] = [
  ["no target", { "spec.target": undefined }, "spec.target", "Required value"],
  ["an unknown mode", { "spec.mode": "Observe" }, "spec.mode", 'Unsupported value: "Observe": supported values: "Enforce", "DryRun", "Paused"'],
  ["a number for a duration", { "spec.schedule.interval": 15 }, "spec.schedule.interval", 'must be of type string: "integer"'],
  ["a name that is no DNS label", { [`${NODE}.name`]: "Split_Words" }, "spec.target.kubernetes.nodes[0].name", "should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'"],
  ["a node that is called __proto__", { [`${NODE}.name`]: "__proto__" }, "spec.target.kubernetes.nodes[0].name", "should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'"],
  ["no nodes", { "spec.target.kubernetes.nodes": [] }, "spec.target.kubernetes.nodes", "should have at least 1 items"],
  ["more nodes than a topology can have", { "spec.target.kubernetes.nodes": Array.from({ length: 101 }, (_, at) => named(`n${at}`)) }, "spec.target.kubernetes.nodes", "must have at most 100 items"],
  ["two nodes of one name", { "spec.target.kubernetes.nodes": [named("a"), named("a")] }, "spec.target.kubernetes.nodes[1]", 'Duplicate value: {"name":"a"}'],
  ["an edge that stands twice", { [`${NODE}.to`]: ["count", "count"] }, "spec.target.kubernetes.nodes[0].to[1]", 'Duplicate value: "count"'],
  ["a maximum of zero", { "spec.guardrails.bounds": { max: 0 } }, "spec.guardrails.bounds.max", "should be greater than or equal to 1"],
  ["a port that does not exist", { "spec.sources.0.prometheus.service.port": 70_000 }, "spec.sources[0].prometheus.service.port", "should be less than or equal to 65535"],
  ["nothing to remember", { "spec.knowledge.keep": 0 }, "spec.knowledge.keep", "should be greater than or equal to 1"],
  ["a config that is no object", { "spec.algorithm.config": [1] }, "spec.algorithm.config", 'must be of type object: "array"'],
  ["an address with a password", { "spec.sources.0.prometheus": { url: "http://me:secret@prometheus", query: "up" } }, "spec.sources[0].prometheus.url", "should match"],
]; // prettier-ignore
