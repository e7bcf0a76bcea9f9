/** A partition by its topic and number. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** What a partition is known by in the answers' maps. */
export const keyOf = (topic: string, partition: number): string => `${topic}/${partition}`;
