export { kafka, type Asked, type Kafka, type KafkaCluster } from "./cluster.ts";
export type { Assigned, Group, Member } from "./group.ts";
export type { Brokers, Manner, Place, Proof, ProofOf } from "./place.ts";
export { keyOf, type TopicPartition } from "./topic.ts";
