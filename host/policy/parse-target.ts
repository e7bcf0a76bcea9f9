import type { ScalingPolicySpec as Spec } from "./object.ts";
import type {
  Bounds,
  Broker,
  FlinkTarget,
  FlinkVertex,
  JobsTarget,
  KafkaStreamsTarget,
  ScaleRef,
  ServicePort,
  Target,
  TargetNode,
} from "./target.ts";

/** Finished jobs that are kept where a policy says nothing. */
const KEPT_JOBS = 100;

/** What kind of application the policy scales. */
export function targetOf({ target, guardrails: { bounds } }: Spec): Target {
  if (target.flink !== undefined) return flinkOf(target.flink, bounds);
  if (target.kafkaStreams !== undefined) return kafkaStreamsOf(target.kafkaStreams);
  if (target.jobs !== undefined) return jobsOf(target.jobs);
  return { kind: "kubernetes" };
}

/** The objects that the policy names as nodes, whatever they run. */
export function nodesOf({ target, guardrails: { bounds } }: Spec): TargetNode[] {
  const { kubernetes, kafkaStreams, jobs } = target;
  const named = [
    ...(kubernetes?.nodes ?? []),
    ...(kafkaStreams?.applications ?? []),
    // Where there is no work there is no job.
    ...(jobs === undefined ? [] : [{ min: 0, ...jobs, ref: jobs.templateRef, to: [], container: undefined }]),
  ];
  return named.map(({ name, ref, to = [], container, ...own }) => ({
    ...{ name, ref: refOf(ref), to },
    ...(container === undefined ? {} : { container }),
    bounds: boundsOf(own, bounds),
    attributes: {},
  }));
}

type FlinkSpec = NonNullable<Spec["target"]["flink"]>;

const flinkOf = ({ jobManager, job, taskManagers, nodes = [] }: FlinkSpec, bounds: Bounds): FlinkTarget => ({
  kind: "flink",
  jobManager: jobManagerOf(jobManager),
  job: jobOf(job),
  taskManagers: taskManagers && taskManagersOf(taskManagers),
  vertices: nodes.map(({ name, match, ...own }) => ({
    name,
    match: matchOf(match),
    bounds: boundsOf(own, bounds),
  })),
  bounds,
});

const taskManagersOf = ({
  ref,
  container,
  ...rest
}: NonNullable<FlinkSpec["taskManagers"]>): FlinkTarget["taskManagers"] => ({
  ...{ ref: refOf(ref), ...rest },
  ...(container === undefined ? {} : { container }),
});

function jobManagerOf({ service, flinkDeployment, flinkSessionJob }: FlinkSpec["jobManager"]) {
  if (flinkDeployment !== undefined) return { flinkDeployment: flinkDeployment.name };
  if (flinkSessionJob !== undefined) return { flinkSessionJob: flinkSessionJob.name };
  // The schema has found exactly one.
  return { service: service as ServicePort };
}

function jobOf(job: FlinkSpec["job"]): FlinkTarget["job"] {
  if (job?.id !== undefined) return { id: job.id };
  return job?.name === undefined ? undefined : { name: job.name };
}

// The schema has found exactly one.
const matchOf = ({
  uid,
  name = "",
}: NonNullable<FlinkSpec["nodes"]>[number]["match"]): FlinkVertex["match"] =>
  uid === undefined ? { name } : { uid };

const kafkaStreamsOf = ({
  applications,
}: NonNullable<Spec["target"]["kafkaStreams"]>): KafkaStreamsTarget => ({
  kind: "kafkaStreams",
  applications: applications.map(
    ({ name, applicationId, bootstrap, tls, credentialRef, threadsPerInstance, subtopologies = [] }, at) => ({
      ...{ name, applicationId, threadsPerInstance, subtopologies },
      bootstrap: brokersOf(bootstrap),
      tls: tls && { ca: tls.ca },
      credential: credentialRef && {
        ...credentialRef,
        field: `spec.target.kafkaStreams.applications[${at}].credentialRef`,
      },
    }),
  ),
});

/** The brokers of a list that the schema has found to be one. */
export const brokersOf = (
  brokers: readonly { readonly service?: ServicePort | undefined; readonly address?: string | undefined }[],
): Broker[] =>
  // The schema has found exactly one.
  brokers.map(({ service, address = "" }) => (service === undefined ? { address } : { service }));

const jobsOf = ({
  strategy,
  custom,
  rollout,
  history,
  pendingPodConditions = [],
}: NonNullable<Spec["target"]["jobs"]>): JobsTarget => ({
  ...{ kind: "jobs", strategy, custom, rollout, pendingPodConditions },
  history: history ?? { succeeded: KEPT_JOBS, failed: KEPT_JOBS },
});

const refOf = ({ apiVersion, kind, name }: ScaleRef): ScaleRef => ({ apiVersion, kind, name });

const boundsOf = (own: { min?: number | undefined; max?: number | undefined }, all: Bounds): Bounds => ({
  min: own.min ?? all.min,
  max: own.max ?? all.max,
});
