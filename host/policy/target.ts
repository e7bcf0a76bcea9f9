/** An object with a scale subresource in the policy's namespace. */
export interface ScaleRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

export interface TargetNode {
  readonly name: string;
  readonly ref: ScaleRef;
  /** Whose resources are an instance's, where the pods have several and do not say it themselves. */
  readonly container?: string;
  readonly to: readonly string[];
  readonly bounds: Bounds;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

export interface ServicePort {
  readonly name: string;
  readonly port: number;
}

/** A credential by its name, which says nothing of what is in it. */
export interface CredentialUse {
  readonly kind: "Credential" | "ClusterCredential";
  readonly name: string;
  /** The field of the policy that named it, for messages. */
  readonly field: string;
}

/** What kind of application a policy scales, and what its driver is told beside the nodes that name an object. */
export type Target = KubernetesTarget | FlinkTarget | KafkaStreamsTarget | JobsTarget;

/** Objects with a scale subresource: all that there is to say of them is in the policy's nodes. */
export interface KubernetesTarget {
  readonly kind: "kubernetes";
}

/** A job of Apache Flink; the policy has no nodes of its own, they are found in the job. */
export interface FlinkTarget {
  readonly kind: "flink";
  readonly jobManager:
    | { readonly service: ServicePort }
    | { readonly flinkDeployment: string }
    | { readonly flinkSessionJob: string };
  /** Undefined: the only job that runs. */
  readonly job: { readonly name: string } | { readonly id: string } | undefined;
  /** Undefined: somebody else scales them. */
  readonly taskManagers: TaskManagers | undefined;
  /** Vertices with a name or bounds of their own. */
  readonly vertices: readonly FlinkVertex[];
  /** Bounds of every vertex that has none of its own. */
  readonly bounds: Bounds;
}

/** What offers slots to a Flink job. */
export interface TaskManagers {
  readonly ref: ScaleRef;
  /** Whose resources are a TaskManager's, where the pods have several and do not say it themselves. */
  readonly container?: string;
  readonly slotsPerPod: number;
  /** Vertices share slots, or every vertex has slots of its own. */
  readonly slotMode: "Shared" | "PerNode";
}

/** A vertex that the policy names. */
export interface FlinkVertex {
  readonly name: string;
  readonly match: { readonly uid: string } | { readonly name: string };
  readonly bounds: Bounds;
}

/** Applications of Kafka Streams; the objects that run them are the policy's nodes. */
export interface KafkaStreamsTarget {
  readonly kind: "kafkaStreams";
  readonly applications: readonly StreamsApplication[];
}

/** What there is to say of a Kafka Streams application beside its object. */
export interface StreamsApplication {
  /** Name of its node. */
  readonly name: string;
  readonly applicationId: string;
  readonly bootstrap: readonly Broker[];
  readonly credential: CredentialUse | undefined;
  readonly tls: BrokerTls | undefined;
  readonly threadsPerInstance: number;
  readonly subtopologies: readonly { readonly id: number; readonly name: string }[];
}

/** Where a Kafka cluster is first asked: a Service of the policy's namespace, or `host:port` elsewhere. */
export type Broker = { readonly service: ServicePort } | { readonly address: string };

/** Brokers are asked over TLS; `ca` are authorities in PEM that are trusted instead of those the runtime brings along. */
export interface BrokerTls {
  readonly ca: string | undefined;
}

/** Jobs that are started for work that waits; the policy's only node names the object they are made from. */
export interface JobsTarget {
  readonly kind: "jobs";
  readonly strategy: "Default" | "Custom" | "Accurate" | "Eager";
  readonly custom: { readonly deduct: number; readonly runningPercent: number } | undefined;
  /** Whether a changed template ends the jobs that run. */
  readonly rollout: "Immediate" | "Gradual";
  /** Conditions of a pod without which its job still waits; none is that the pod is ready. */
  readonly pendingPodConditions: readonly string[];
  /** Finished jobs that are kept. */
  readonly history: { readonly succeeded: number; readonly failed: number };
}
