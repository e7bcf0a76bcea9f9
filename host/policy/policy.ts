import type { ResourceRails } from "./resources.ts";
import type { Bounds, Broker, BrokerTls, CredentialUse, ServicePort, Target, TargetNode } from "./target.ts";

declare const kind: unique symbol;
type Id<Kind extends string> = string & { readonly [kind]: Kind };

/** "<namespace>/<name>": what queue, knowledge and metrics are keyed by. */
export type PolicyKey = Id<"policy">;
export const policyKey = (namespace: string, name: string): PolicyKey => `${namespace}/${name}` as PolicyKey;

/** What the shadow of a policy is kept and counted by. No policy has a name with a space in it. */
export const shadowKey = (key: PolicyKey): PolicyKey => `${key} shadow` as PolicyKey;

const SHADOW = / shadow$/;
/** The policy that a key is of, whether it is its own or its shadow's. */
export const liveKey = (key: PolicyKey): PolicyKey => key.replace(SHADOW, "") as PolicyKey;

/** Whose sandboxes, caches and connections are shared: a tenant is a namespace until a Tenant object says otherwise. */
export type TenantKey = Id<"tenant">;
export const tenantKey = (namespace: string): TenantKey => namespace as TenantKey;

export const STEPS = ["monitor", "analyze", "plan"] as const;
export type Step = (typeof STEPS)[number];

export interface PrometheusSource {
  readonly name: string;
  readonly kind: "prometheus";
  readonly service: ServicePort;
  readonly query: string;
  /** The label whose value is a node's name; without it every sample goes to `node`, or to none. */
  readonly byLabel: string | undefined;
  readonly node: string | undefined;
  /** What it is asked with; without it, with nothing. */
  readonly credential?: CredentialUse;
  readonly timeoutMs: number;
}

/** Metrics of the vertices of the target's Flink job; each value belongs to its vertex. */
export interface FlinkSource {
  readonly name: string;
  readonly kind: "flink";
  /** As Flink names them; `:avg`, `:max`, `:min` or `:sum` behind one says how the instances' values become one. */
  readonly metrics: readonly string[];
  readonly timeoutMs: number;
}

/** The lag of a consumer group, partition by partition. */
export interface KafkaSource {
  readonly name: string;
  readonly kind: "kafka";
  /** Brokers that are asked first. */
  readonly bootstrap: readonly Broker[];
  readonly group: string;
  readonly topic: string;
  /** Undefined: brokers are asked in the clear. */
  readonly tls: BrokerTls | undefined;
  /** The label, `topic` or `partition`, whose value is a node's name; without it every sample goes to `node`, or to none. */
  readonly byLabel: string | undefined;
  readonly node: string | undefined;
  /** What they are asked with; without it, with nothing. */
  readonly credential?: CredentialUse;
  readonly timeoutMs: number;
}
export type Source = PrometheusSource | FlinkSource | KafkaSource;

/** Where a step's module comes from. */
export interface ArtifactUse {
  readonly step: Step | "all";
  /** `oci://host/repository[:tag][@sha256:…]` */
  readonly reference: string;
  /** The field of the policy that named it, for messages. */
  readonly field: string;
}

/** What may be asked for at a place: methods, and what paths begin with. */
interface Allowance {
  /** Default GET and HEAD. */
  readonly methods?: readonly string[];
  /** Whether each of the methods may be repeated without harm; nothing but GET and HEAD is allowed without it. */
  readonly repeatable?: boolean;
  /** `/api` allows `/api` and what lies below it, and not `/apis`. Default everything. */
  readonly pathPrefix?: string;
  /** What the host authenticates the requests by. */
  readonly credential?: CredentialUse;
}

/** Hosts outside the cluster. */
export interface HostRule extends Allowance {
  /** A name, an address, or `*.` and a name: the star stands for exactly one label, as in a certificate. */
  readonly host: string;
  /** Default `https`. */
  readonly scheme?: "https" | "http";
  /** Default the scheme's. */
  readonly port?: number;
}

/** What an administrator lets policies have of a host. */
export interface CeilingRule extends HostRule {
  /** Private networks that the host may be in besides the public Internet. */
  readonly networks?: readonly string[];
}

/** Brokers that an administrator lets policies ask. */
export type BrokerRule = Required<Pick<HostRule, "host" | "port">> & Pick<CeilingRule, "networks">;

/** A service of the policy's namespace. */
export interface ServiceRule extends Allowance {
  readonly service: ServicePort;
}

export interface AlgorithmUse {
  /** The field of the policy that has it, for messages. */
  readonly field: "spec.algorithm" | "spec.shadow";
  /** One for all steps, or one for each step that has its own. */
  readonly artifacts: readonly ArtifactUse[];
  /** What the algorithm is told by the policy, as JSON text: numbers keep their spelling. */
  readonly config: string;
  readonly pullSecrets: readonly string[];
  /** What the steps may ask over HTTP; hosts only as far as the tenant's ceiling allows them. */
  readonly egress: { readonly hosts: readonly HostRule[]; readonly services: readonly ServiceRule[] };
  readonly limits: StepLimits;
}

/** What one step may use at the most. */
export interface StepLimits {
  /** Processor time. */
  readonly cpuMs: number;
  /** Pages of 64 KiB that its memory may grow to. */
  readonly memoryPages: number;
}

/** So much may change within a period: units of parallelism (`Pods`), or percent of what ran when it began. */
export interface Rate {
  readonly type: "Pods" | "Percent";
  readonly value: number;
  readonly periodSeconds: number;
}

/** How fast a node may scale in one direction. */
export interface Scaling {
  /** Wants of so long ago are looked back on. */
  readonly windowSeconds: number;
  /** Which of several rates counts: that which allows the most change, the least, or no change at all. */
  readonly select: "Max" | "Min" | "Disabled";
  readonly rates: readonly Rate[];
  /** Share of what runs by which a demand may differ before anything moves. */
  readonly tolerance: number;
}

/** Stabilisation and rates. Without one a node has neither. */
export interface Behavior {
  readonly up: Scaling;
  readonly down: Scaling;
  /** Exact, or with the rounding errors of the HorizontalPodAutoscaler. */
  readonly arithmetic: "Exact" | "Doubles";
  /** As the HorizontalPodAutoscaler does without a behavior: up to twice what runs, and the window for scaling down. */
  readonly isPlain: boolean;
}

/** A source that says whether a node is in use. */
export interface Signal {
  readonly source: string;
  /** In use above this number. */
  readonly above: number;
}

/** When a node may be stopped altogether. */
export interface Zero {
  readonly allowed: boolean;
  /** Parallelism of a node that is not in use. */
  readonly idle: number;
  readonly cooldownSeconds: number;
  readonly signals: readonly Signal[];
}

/** A time that comes again: other bounds, or nothing moves. */
export interface Window {
  readonly name: string;
  /** Five fields of cron, as `end`. */
  readonly start: string;
  readonly end: string;
  /** By its name in the IANA database. */
  readonly timeZone: string;
  readonly bounds: Bounds | undefined;
  readonly isFreeze: boolean;
}

/** What a node has of its own; it wins over what all nodes have. */
export interface NodeRails {
  readonly min?: number;
  readonly max?: number;
  readonly behavior?: Behavior;
}

/** What is done with a node while passes keep failing. */
export interface FallbackNumber {
  /** Keep what runs; the higher of what runs and `parallelism`; what runs, but never less; or `parallelism`. */
  readonly behavior: "Current" | "CurrentIfHigher" | "CurrentIfLower" | "Static";
  readonly parallelism: number | undefined;
}

export interface Fallback extends FallbackNumber {
  /** Time of nothing but failed passes. */
  readonly afterSeconds: number;
  /** Of nodes that have one of their own, by their names. */
  readonly nodes: Readonly<Record<string, FallbackNumber>>;
}

export interface Guardrails {
  /** Most parallelism of all nodes together; undefined is no such limit. */
  readonly totalMax: number | undefined;
  /** Of every node that has none of its own. */
  readonly behavior: Behavior | undefined;
  /** Undefined: nobody changes what an instance has. */
  readonly resources?: ResourceRails | undefined;
  readonly zero: Zero;
  readonly windows: readonly Window[];
  /** Undefined: while passes fail, everything stays as it is. */
  readonly fallback: Fallback | undefined;
  /** How often a node may turn within an hour; undefined is no such limit. */
  readonly maxReversalsPerHour: number | undefined;
  /** By the node's name. */
  readonly nodes: Readonly<Record<string, NodeRails>>;
}

export interface Settle {
  readonly timeoutSeconds: number;
  /** What is done with a change that did not come to serve in time. */
  readonly onFailure: "Hold" | "Rollback";
}

export type Mode = "Enforce" | "DryRun" | "Paused";

/** What happens when somebody else scales the target, and when the policy is deleted. */
export interface Ownership {
  /** The next decision goes on from what is there, or the node is left to the other. */
  readonly onDrift: "Correct" | "Yield";
  /** What runs stays, or what ran before the policy first wrote is brought back. */
  readonly onDelete: "Keep" | "Restore";
}

/** What people ask of a policy for a while, beside its spec: what holds now. */
export interface ByHand {
  /** The parallelism of nodes by their names, whatever the algorithm wants. */
  readonly override: ReadonlyMap<string, number>;
  /** Nothing grows. */
  readonly isUpPaused: boolean;
  /** Nothing shrinks. */
  readonly isDownPaused: boolean;
  /** Nodes that were left to somebody else are scaled again. */
  readonly takesBack: boolean;
  /** Others had the application until now: what is there is nobody's drift. */
  readonly resumes: boolean;
}

/** A policy of which nothing is asked beside its spec. */
export const NOTHING_BY_HAND: ByHand = {
  override: new Map(),
  isUpPaused: false,
  isDownPaused: false,
  takesBack: false,
  resumes: false,
};

/** A `ScalingPolicy` with every default filled in: what everything further in trusts. */
export interface Policy {
  readonly key: PolicyKey;
  readonly tenant: TenantKey;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly mode: Mode;
  readonly serviceAccountName: string;
  readonly target: Target;
  /** The objects that the policy itself names as nodes; a Flink job's are found in the job. */
  readonly nodes: readonly TargetNode[];
  readonly sources: readonly Source[];
  readonly algorithm: AlgorithmUse;
  /** What runs beside it, and never acts. */
  readonly shadow: AlgorithmUse | undefined;
  readonly intervalSeconds: number;
  readonly startAfterSeconds: number;
  readonly guardrails: Guardrails;
  /** How a change is followed until it serves; undefined follows none. */
  readonly settle: Settle | undefined;
  /** Whether no more is taken away at once than the disruption budgets of a node's pods allow. */
  readonly respectDisruptionBudget: boolean;
  readonly ownership: Ownership;
  readonly byHand: ByHand;
  readonly knowledge: { readonly keep: number; readonly history: HistoryOffer | undefined };
}

/** What of the past the steps are offered: entries `everySeconds` apart, for `spanSeconds`. */
export interface HistoryOffer {
  readonly spanSeconds: number;
  readonly everySeconds: number;
}
