export { kafka, keyOf, type Asked, type Kafka, type KafkaCluster, type TopicPartition } from "./cluster.ts";
export type { Brokers, Manner, Place, Proof, ProofOf } from "./place.ts";
