import { Fault } from "../fault/index.ts";
import type { FlinkTarget, FlinkVertex } from "../policy/index.ts";
import type { Vertex } from "./job.ts";
import { vertexIdOf } from "./vertex-id.ts";

/** A DNS label: what names of nodes are. */
const LABEL_CHARACTERS = 63;
const ID_CHARACTERS = 8;

/** What every JavaScript object knows is no key of a plan. */
const RESERVED: ReadonlySet<string> = new Set(["constructor", "prototype"]);

/** A vertex as a node of the policy. */
export interface Named {
  readonly vertex: Vertex;
  readonly name: string;
  /** What the policy says of it; undefined if it says nothing. */
  readonly said: FlinkVertex | undefined;
}

/**
 * Names the vertices: as the policy does, or by their own names made labels, so that a job that is started again has the
 * same nodes. Vertices that would have the same name are told apart by their ids. Throws `TargetNotFound` for a vertex that
 * the policy names and the job does not have.
 */
export function nameVertices(vertices: readonly Vertex[], target: FlinkTarget): readonly Named[] {
  const said = new Map(target.vertices.map((one, at) => [matched(vertices, one, at).id, one]));
  const taken = new Set(target.vertices.map(({ name }) => name));
  const derived = vertices.filter(({ id }) => !said.has(id)).map((one) => labelOf(one.name));
  return vertices.map((vertex) => {
    const own = said.get(vertex.id);
    if (own !== undefined) return { vertex, name: own.name, said: own };
    const label = labelOf(vertex.name);
    const isUnique =
      !taken.has(label) && !RESERVED.has(label) && derived.filter((one) => one === label).length === 1;
    return { vertex, name: isUnique ? label : apart(label, vertex.id), said: undefined };
  });
}

function matched(vertices: readonly Vertex[], { match }: FlinkVertex, at: number): Vertex {
  const found = vertices.filter((one) =>
    "uid" in match ? one.id === vertexIdOf(match.uid) : one.name === match.name,
  );
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const what = "uid" in match ? `whose first operator has the uid ${match.uid}` : `named ${match.name}`;
  throw new Fault("TargetNotFound", `The job has ${found.length} vertices ${what}`, {
    field: `spec.target.flink.nodes[${at}].match`,
    remedy: `Name one of its vertices: ${vertices
      .map(({ name }) => name)
      .join("; ")
      .slice(0, 512)}.`,
    retry: true,
  });
}

const apart = (label: string, id: string) =>
  `${cut(label, LABEL_CHARACTERS - ID_CHARACTERS - 1)}-${id.slice(0, ID_CHARACTERS)}`;

function labelOf(name: string): string {
  const label = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "");
  return cut(label, LABEL_CHARACTERS) || "vertex";
}

const cut = (label: string, characters: number) => label.slice(0, characters).replace(/-+$/, "");
