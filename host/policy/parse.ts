import { Fault } from "../fault/index.ts";
import type { Problem } from "../fault/index.ts";
import { durationMs } from "./duration.ts";
import { fill, isRecord } from "./fill.ts";
import { guardrailsOf } from "./guardrails.ts";
import { limitsOf } from "./limits.ts";
import type { ScalingPolicySpec as Spec } from "./object.ts";
import { NOTHING_BY_HAND, policyKey, STEPS, tenantKey } from "./policy.ts";
import type { AlgorithmUse, ArtifactUse, HistoryOffer, Policy, Settle, Source } from "./policy.ts";
import { inspect } from "./rules.ts";
import type { Findings } from "./rules.ts";
import { GROUP, KIND, VERSION } from "./schema/crd.ts";
import { spec as schema } from "./schema/spec.ts";
import { PROBLEMS_MAX, shapeProblems, SPEC } from "./shape.ts";
import { brokersOf, nodesOf, targetOf } from "./parse-target.ts";
import type { CredentialUse } from "./target.ts";

/** A value, or everything that keeps it from being one: the fault sums the problems up. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: Fault; readonly problems: readonly Problem[] };

/** What the algorithm may be told, as JSON. */
const CONFIG_BYTES = 32 * 1_024;
/** More than this in one message is not read; the list of problems has them all. */
const PROBLEMS_IN_MESSAGE = 8;
/** A namespace and a service account always have one of this name. */
const DEFAULT = "default";

interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string | undefined;
  readonly generation: number;
}

/**
 * A `ScalingPolicy` as an API server or a file has it, as the policy that everything further in trusts: every default
 * filled in, every rule checked that the API server checks, and those that it cannot check. All problems are listed, up
 * to 100. The fault is `PolicyInvalid`, or `NotSupported` if nothing is wrong but that this version does not act on a field.
 */
export function parsePolicy(object: unknown): Parsed<Policy> {
  const found: Findings = { wrong: [], notYet: [] };
  const metadata = readHead(object, found.wrong);
  const filled = fill(SPEC, isRecord(object) ? object["spec"] : undefined, "spec", found.wrong);
  if (isRecord(filled)) {
    found.wrong.push(...shapeProblems(filled));
    inspect(schema, filled, "spec", found);
  }
  const configs = {
    algorithm: configText(filled, "algorithm", found.wrong),
    shadow: configText(filled, "shadow", found.wrong),
  };
  if (found.wrong.length > 0) return refused("PolicyInvalid", [...found.wrong, ...found.notYet]);
  if (found.notYet.length > 0) return refused("NotSupported", found.notYet);
  return { ok: true, value: policyOf(metadata, filled as Spec, configs) };
}

function refused(code: "PolicyInvalid" | "NotSupported", found: readonly Problem[]): Parsed<never> {
  const problems = found.slice(0, PROBLEMS_MAX);
  const [first = { field: "spec", message: "" }, ...rest] = problems;
  const shown = rest.slice(0, PROBLEMS_IN_MESSAGE - 1).map(({ field, message }) => `; ${field}: ${message}`);
  const hidden = found.length - 1 - shown.length;
  const message = `${first.message}${shown.join("")}${hidden === 0 ? "" : `; and ${hidden} more`}`;
  return { ok: false, fault: new Fault(code, message, { field: first.field }), problems };
}

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

const isName = (text: unknown, most: number) =>
  typeof text === "string" && text.length <= most && NAME.test(text);

function readHead(object: unknown, problems: Problem[]): Metadata {
  const head = isRecord(object) ? object : {};
  const expect = (fits: boolean, field: string, message: string) =>
    void (fits || problems.push({ field, message }));
  expect(head["apiVersion"] === `${GROUP}/${VERSION}`, "apiVersion", `must be ${GROUP}/${VERSION}`);
  expect(head["kind"] === KIND, "kind", `must be ${KIND}`);
  expect(isRecord(head["spec"]), "spec", "is required");
  const metadata = isRecord(head["metadata"]) ? head["metadata"] : {};
  const { name, namespace = DEFAULT, uid, generation = 1 } = metadata;
  expect(isName(name, 253), "metadata.name", "must be a name: at most 253 small letters, digits, - and .");
  expect(
    isName(namespace, 63) && !String(namespace).includes("."),
    "metadata.namespace",
    "must be a name: at most 63 small letters, digits and -",
  );
  return {
    name: String(name),
    namespace: String(namespace),
    uid: typeof uid === "string" && uid !== "" ? uid : undefined,
    generation: typeof generation === "number" ? generation : 1,
  };
}

/** What the algorithm and its shadow are told, as JSON text. */
type Configs = Readonly<Record<"algorithm" | "shadow", string>>;

function configText(filled: unknown, name: keyof Configs, problems: Problem[]): string {
  const use = isRecord(filled) && isRecord(filled[name]) ? filled[name] : {};
  const field = `spec.${name}.config`;
  try {
    const text = JSON.stringify(use["config"] ?? {});
    if (new TextEncoder().encode(text).length <= CONFIG_BYTES) return text;
    problems.push({
      field,
      message: `is above ${CONFIG_BYTES / 1_024} KiB as JSON: leave out what the algorithm does not need`,
    });
  } catch {
    problems.push({ field, message: "is no JSON, or nested too deeply: write plain lists and objects" });
  }
  return "{}";
}

const policyOf = ({ name, namespace, uid, generation }: Metadata, spec: Spec, configs: Configs): Policy => ({
  key: policyKey(namespace, name),
  tenant: tenantKey(namespace),
  namespace,
  name,
  // What never passed an API server has no uid; nothing of the same name can have come before it.
  uid: uid ?? policyKey(namespace, name),
  generation,
  mode: spec.mode,
  serviceAccountName: spec.serviceAccountName ?? DEFAULT,
  target: targetOf(spec),
  nodes: nodesOf(spec),
  sources: (spec.sources ?? []).flatMap(sourceOf),
  algorithm: {
    ...useOf("spec.algorithm", spec.algorithm, configs.algorithm),
    pullSecrets: pullSecretsOf(spec),
  },
  shadow: spec.shadow && {
    ...useOf("spec.shadow", spec.shadow, configs.shadow),
    pullSecrets: pullSecretsOf(spec),
  },
  intervalSeconds: milliseconds(spec.schedule.interval) / 1_000,
  startAfterSeconds: milliseconds(spec.schedule.startAfter) / 1_000,
  guardrails: guardrailsOf(spec),
  settle: settleOf(spec),
  respectDisruptionBudget: spec.guardrails.respectDisruptionBudget,
  ownership: spec.ownership,
  byHand: NOTHING_BY_HAND,
  knowledge: { keep: spec.knowledge.keep, history: historyOf(spec) },
});

function sourceOf(
  {
    name,
    prometheus,
    flink,
    kafka,
    byLabel,
    timeout,
    for: node,
    credentialRef,
  }: NonNullable<Spec["sources"]>[number],
  at: number,
): Source[] {
  const shared = {
    ...{ name, byLabel: byLabel?.label, node, timeoutMs: milliseconds(timeout) },
    ...credentialOf(credentialRef, `spec.sources[${at}]`),
  };
  if (flink !== undefined)
    return [{ name, kind: "flink", metrics: flink.metrics, timeoutMs: shared.timeoutMs }];
  if (kafka !== undefined) {
    const { bootstrap, group, topic, tls } = kafka;
    const brokers = brokersOf(bootstrap);
    return [{ ...shared, kind: "kafka", bootstrap: brokers, group, topic, tls: tls && { ca: tls.ca } }];
  }
  if (prometheus?.service === undefined) return [];
  const { service, query } = prometheus;
  return [{ ...shared, kind: "prometheus", service, query }];
}

/** An algorithm or a shadow, as a policy has them. */
type Use = Spec["algorithm"] | NonNullable<Spec["shadow"]>;

const useOf = (
  field: AlgorithmUse["field"],
  use: Use,
  config: string,
): Omit<AlgorithmUse, "pullSecrets"> => ({
  field,
  artifacts: artifactsOf(field, use),
  config,
  egress: egressOf(field, use),
  limits: limitsOf(use.limits),
});

const pullSecretsOf = ({ algorithm }: Spec) => (algorithm.pullSecrets ?? []).map(({ name }) => name);

function egressOf(field: AlgorithmUse["field"], { egress = [] }: Use): AlgorithmUse["egress"] {
  const rules = egress.map(({ credentialRef, ...rule }, at) => ({
    ...rule,
    ...credentialOf(credentialRef, `${field}.egress[${at}]`),
  }));
  return {
    hosts: rules.flatMap(({ host, service: _service, ...rule }) =>
      host === undefined ? [] : [{ host, ...rule }],
    ),
    services: rules.flatMap(({ host: _host, service, ...rule }) =>
      service === undefined ? [] : [{ service, ...rule }],
    ),
  };
}

const credentialOf = (
  ref: Omit<CredentialUse, "field"> | undefined,
  field: string,
): { credential?: CredentialUse } =>
  ref === undefined ? {} : { credential: { ...ref, field: `${field}.credentialRef` } };

function artifactsOf(field: AlgorithmUse["field"], use: Use): ArtifactUse[] {
  const uses = [
    { step: "all" as const, reference: use.artifact, field: `${field}.artifact` },
    ...STEPS.map((step) => ({
      step,
      reference: use[step]?.artifact,
      field: `${field}.${step}.artifact`,
    })),
  ];
  return uses.flatMap(({ reference, ...rest }) => (reference === undefined ? [] : [{ ...rest, reference }]));
}

function settleOf({ guardrails: { settle } }: Spec): Settle | undefined {
  if (settle === undefined) return undefined;
  return { timeoutSeconds: milliseconds(settle.timeout) / 1_000, onFailure: settle.onFailure };
}

function historyOf({ knowledge: { history } }: Spec): HistoryOffer | undefined {
  if (history === undefined) return undefined;
  return {
    spanSeconds: milliseconds(history.span) / 1_000,
    everySeconds: milliseconds(history.every) / 1_000,
  };
}

/** Only for what the schema has found to be a duration. */
const milliseconds = (duration: string): number => durationMs(duration) ?? 0;
