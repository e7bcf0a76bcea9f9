import { asFault, Fault } from "../../fault/index.ts";
import type { Job } from "../../flink/index.ts";
import { accountOf, fieldsOf, type Cluster } from "../../kube/index.ts";
import type { FlinkTarget, Policy } from "../../policy/index.ts";
import { managedBy } from "../writer.ts";
import { FLINK_API, readCustom } from "./address.ts";
import type { Asked } from "./requirements.ts";
import type { Route } from "./route.ts";
import type { Options } from "./suitable.ts";

/** The option by which the Flink Kubernetes operator is told the parallelism of vertices: `id:number,id:number`. */
const OVERRIDES = "pipeline.jobvertex-parallelism-overrides";
/** Under this name the API server notes what this host applies. */
const FIELD_MANAGER = "sluice";
const JOB_ID = /^[0-9a-f]{32}$/;

/** A job that an object of the Flink Kubernetes operator stands for. */
interface Custom {
  /** The job that runs now, where the object says it. */
  readonly job: FlinkTarget["job"];
  /** What the object configures Flink with. */
  readonly options: Options;
  readonly route: (job: Job) => Route;
}

/**
 * By an entry of the object's `spec.flinkConfiguration`, which the operator carries out: in place, or by a restart. It is
 * applied as a field of our own, so that all others stay with whoever has them. Undefined for a target without an object.
 */
export async function customRoute(
  cluster: Cluster,
  policy: Policy,
  { jobManager }: FlinkTarget,
): Promise<Custom | undefined> {
  if ("service" in jobManager) return undefined;
  const [kind, name] =
    "flinkDeployment" in jobManager
      ? (["FlinkDeployment", jobManager.flinkDeployment] as const)
      : (["FlinkSessionJob", jobManager.flinkSessionJob] as const);
  const object = await readCustom(cluster, policy, kind, name);
  const { spec, status } = object;
  const options = fieldsOf(fieldsOf(spec)["flinkConfiguration"]);
  const id = fieldsOf(fieldsOf(status)["jobStatus"])["jobId"];
  const overrides = overridesIn(options[OVERRIDES]);
  const apply = async (after: Asked) => {
    const api = cluster.as(accountOf(policy));
    const entry = [...after].map(([vertex, parallelism]) => `${vertex}:${parallelism}`).join(",");
    const applied = {
      ...{ apiVersion: FLINK_API, kind, metadata: { name, namespace: policy.namespace } },
      spec: { flinkConfiguration: { [OVERRIDES]: entry } },
    };
    await api.apply(await cluster.resource(FLINK_API, kind), name, applied, { fieldManager: FIELD_MANAGER });
  };
  return {
    job: typeof id === "string" && JOB_ID.test(id) ? { id } : undefined,
    options,
    route: ({ vertices }) => {
      // What was stored is no proof that it runs: the topology has what runs beside it.
      const asked = new Map(vertices.map((one) => [one.id, overrides.get(one.id) ?? one.parallelism]));
      return {
        asked,
        writer: managedBy(object, ["f:spec", "f:flinkConfiguration", `f:${OVERRIDES}`]),
        write: async (after, permit) => {
          if ([...after].every(([vertex, parallelism]) => overrides.get(vertex) === parallelism)) return;
          const denied = permit();
          if (denied !== undefined) throw denied;
          await apply(after).catch((thrown: unknown) => {
            throw ownedByOther(thrown, kind, name);
          });
        },
      };
    },
  };
}

function overridesIn(value: unknown): Asked {
  const entries = typeof value === "string" ? value.split(",") : [];
  return new Map(
    entries.flatMap((entry) => {
      const [id = "", parallelism] = entry.split(":").map((part) => part.trim());
      const number = Number(parallelism);
      return JOB_ID.test(id) && Number.isSafeInteger(number) && number > 0 ? [[id, number] as const] : [];
    }),
  );
}

function ownedByOther(thrown: unknown, kind: string, name: string): unknown {
  const { code, message } = asFault(thrown);
  if (code !== "Conflict") return thrown;
  return new Fault("FieldConflict", `spec.flinkConfiguration of ${kind} ${name}: ${message}`, {
    remedy: `Take ${OVERRIDES} out of what the other tool applies, or leave the job to it.`,
    cause: thrown,
  });
}
