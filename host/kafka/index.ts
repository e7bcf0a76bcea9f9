export type { KafkaCluster } from "./cluster.ts";
export { kafka, type Kafka } from "./kafka.ts";
export type { Group } from "./group.ts";
export type { Proof } from "./place.ts";
export { keyOf, type TopicPartition } from "./topic.ts";
