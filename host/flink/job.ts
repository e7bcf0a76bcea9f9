import { count, fields, list, text, type Fields } from "./read.ts";
import { LIMITS } from "./limits.ts";
import { unavailable, type FlinkRest } from "./rest.ts";

/** A vertex of a job graph: operators that run in the same tasks. */
export interface Vertex {
  readonly id: string;
  /** As Flink shows it. */
  readonly name: string;
  /** Instances that the running job has. */
  readonly parallelism: number;
  /** More cannot be had: the number of its key groups. */
  readonly maxParallelism: number;
  /** Of all its instances together, such as `RUNNING`. */
  readonly status: string;
  /** Instances that run, or have ended well. */
  readonly serving: number;
  readonly slotGroup: string | undefined;
}

/** Records flow from one vertex to another. */
export interface VertexEdge {
  readonly from: string;
  readonly to: string;
  /** Such as `HASH` or `FORWARD`. */
  readonly shipStrategy: string | undefined;
}

/** A job as its JobManager tells of it. */
export interface Job {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  /** From the sources on. */
  readonly vertices: readonly Vertex[];
  readonly edges: readonly VertexEdge[];
  /** When it last came to run; undefined if it never has. */
  readonly runningSince: Date | undefined;
}

/** The bounds within which Flink runs a vertex, by its id. */
export type Requirements = ReadonlyMap<string, { readonly lower: number; readonly upper: number }>;

const ID = /^[0-9a-f]{32}$/;

/** Reads a job. Throws `TargetNotFound` if there is none of this id, and `TargetUnavailable` for what cannot be a job. */
export async function readJob(rest: FlinkRest, id: string): Promise<Job> {
  const answer = fields(await rest.get(`/jobs/${id}`));
  if (answer["jid"] !== id)
    throw unavailable("The JobManager answered for another job than it was asked for");
  const state = text(answer["state"], "state of the job");
  const vertices = list(answer["vertices"], "vertices", LIMITS.vertices).map(vertexOf);
  const known = new Set(vertices.map((one) => one.id));
  if (known.size < vertices.length) throw unavailable("The JobManager named two vertices by one id");
  const planned = list(fields(answer["plan"])["nodes"] ?? [], "nodes of the plan", LIMITS.vertices);
  const edges = planned.flatMap(edgesOf).filter(({ from, to }) => known.has(from) && known.has(to));
  const sinceMs = Number(fields(answer["timestamps"])["RUNNING"] ?? 0);
  return {
    ...{ id, state, vertices, edges, name: text(answer["name"], "name of the job") },
    runningSince: state === "RUNNING" && sinceMs > 0 && sinceMs < LATEST_MS ? new Date(sinceMs) : undefined,
  };
}

/** No clock is later than this: the end of the year 9999. */
const LATEST_MS = 253_402_300_799_999;

function vertexOf(one: Fields): Vertex {
  const name = text(one["name"], "name of a vertex");
  const tasks = fields(one["tasks"]);
  const group = one["slotSharingGroupId"];
  return {
    id: idIn(one["id"]),
    name,
    parallelism: count(one["parallelism"], `parallelism of ${name}`),
    maxParallelism: count(one["maxParallelism"], `maximum parallelism of ${name}`, 1),
    status: text(one["status"], `status of ${name}`),
    serving:
      count(tasks["RUNNING"] ?? 0, `tasks of ${name}`) + count(tasks["FINISHED"] ?? 0, `tasks of ${name}`),
    slotGroup: typeof group === "string" ? group : undefined,
  };
}

function edgesOf(node: Fields): VertexEdge[] {
  const to = idIn(node["id"]);
  return list(node["inputs"] ?? [], "inputs", LIMITS.vertices).map((input) => ({
    from: idIn(input["id"]),
    to,
    shipStrategy: typeof input["ship_strategy"] === "string" ? input["ship_strategy"] : undefined,
  }));
}

function idIn(value: unknown): string {
  const id = text(value, "id of a vertex");
  // It becomes part of a path.
  if (!ID.test(id)) throw unavailable("The JobManager's answer has an id that is none");
  return id;
}

/** What the job is asked for. Throws `TargetUnavailable` unless it names every vertex. */
export async function readRequirements(rest: FlinkRest, { id, vertices }: Job): Promise<Requirements> {
  const answer = fields(await rest.get(`/jobs/${id}/resource-requirements`));
  return new Map(
    vertices.map((vertex) => {
      const { lowerBound, upperBound } = fields(fields(answer[vertex.id])["parallelism"]);
      const upper = count(upperBound, `requirement of ${vertex.name}`, 1);
      return [vertex.id, { lower: count(lowerBound, `requirement of ${vertex.name}`, 1, upper), upper }];
    }),
  );
}

/** Asks for other bounds; the job takes them up later, if it can. */
export function writeRequirements(rest: FlinkRest, job: string, requirements: Requirements): Promise<void> {
  const body = [...requirements].map(([id, { lower: lowerBound, upper: upperBound }]) => [
    id,
    { parallelism: { lowerBound, upperBound } },
  ]);
  return rest.put(`/jobs/${job}/resource-requirements`, Object.fromEntries(body) as object);
}
