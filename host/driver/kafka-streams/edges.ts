import type { Edge } from "../../topology/index.ts";

/** An application, and the topics that it reads. */
export interface Reader {
  readonly name: string;
  readonly applicationId: string;
  readonly topics: readonly string[];
}

/**
 * Who reads a topic that is named after another application (`<application.id>-...`) is fed by it. Of several whose ids a
 * name begins with, the longest is meant: `clicks-by-user-counts` is of `clicks-by-user` where there is one, and not of
 * `clicks`. Edges that are known already are left out. Pure.
 */
export function edgesByTopic(readers: readonly Reader[], known: readonly Edge[]): Edge[] {
  return readers.flatMap((to) => {
    const owners = new Set(to.topics.map((topic) => ownerOf(topic, readers)));
    // Its own are internal topics, which other nodes with its id have as well.
    return readers
      .filter(({ applicationId }) => applicationId !== to.applicationId && owners.has(applicationId))
      .filter(({ name }) => !known.some((edge) => edge.from === name && edge.to === to.name))
      .map(({ name }) => ({ from: name, to: to.name }));
  });
}

const ownerOf = (topic: string, readers: readonly Reader[]): string | undefined =>
  readers
    .map(({ applicationId }) => applicationId)
    .filter((id) => topic.startsWith(`${id}-`))
    .toSorted((one, other) => other.length - one.length)[0];
