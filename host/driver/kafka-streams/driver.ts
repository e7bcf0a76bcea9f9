import { asFault, Fault } from "../../fault/index.ts";
import type { Kafka } from "../../kafka/index.ts";
import type { Change, ChangeOutcome } from "../../knowledge/index.ts";
import type { Driver } from "../../loop/index.ts";
import type { Policy, StreamsApplication } from "../../policy/index.ts";
import type { Topology, TopologyNode } from "../../topology/index.ts";
import { readRunning, type Running } from "./application.ts";
import { edgesByTopic, type Reader } from "./edges.ts";

const FIELD = "spec.target.kafkaStreams.applications";
/** Where the driver that scales the objects thinks that they are named. */
const KUBERNETES = "spec.target.kubernetes.nodes";

/**
 * Scales applications of Kafka Streams: a node is an application, its parallelism the stream threads of all its instances.
 * The instances are replicas that `kubernetes` scales; what they do is asked of Kafka. Of the threads those are ready that are
 * in the group, and an application has settled when there are as many as asked for and every task has one.
 */
export function kafkaStreamsDriver(kubernetes: Driver, kafka: Kafka): Driver {
  return {
    rescaleScope: () => "node",
    discover: (policy) => inOwnField(() => discover(kubernetes, kafka, policy)),
    order: (policy, changes) => kubernetes.order(policy, changes),
    scale: (policy, changes, permit) =>
      inOwnField(async () => {
        const instances = changes.map((change) => instancesOf(policy, change));
        const outcomes = await kubernetes.scale(policy, instances, permit);
        return outcomes.map((outcome, at) => threadsOf(policy, outcome, changes[at]));
      }),
    async writer(policy, node) {
      const found = await kubernetes.writer?.(policy, node);
      return found && { ...found, parallelism: found.parallelism * unitOf(policy, node) };
    },
    trouble: async (policy, node, since) => kubernetes.trouble?.(policy, node, since),
  };
}

async function discover(kubernetes: Driver, kafka: Kafka, policy: Policy): Promise<Topology> {
  const applications = applicationsOf(policy);
  const [{ nodes, edges }, ...running] = await Promise.all([
    kubernetes.discover(policy),
    ...applications.map((one, at) =>
      naming(`${FIELD}[${at}].bootstrap`, one, () => readRunning(kafka, policy, one)),
    ),
  ]);
  const found = applications.flatMap((application, at) => {
    const [node, state] = [nodes[at], running[at]];
    return node === undefined || state === undefined ? [] : [{ application, node, state }];
  });
  return {
    nodes: found.map(({ application, node, state }) => nodeOf(application, node, state)),
    edges: [...edges, ...edgesByTopic(found.map(readerOf), edges)],
  };
}

function nodeOf(application: StreamsApplication, node: TopologyNode, running: Running): TopologyNode {
  const { threadsPerInstance: unit } = application;
  const { state, members, assigned, subtopologies } = running;
  const parallelism = node.parallelism * unit;
  const tasks = subtopologies.reduce((sum, one) => sum + one.tasks, 0);
  const hasItsThreads = members === parallelism && (parallelism === 0 || state === "Stable");
  const hasItsTasks = parallelism === 0 || (tasks > 0 && assigned === tasks);
  return {
    ...node,
    parallelism,
    ready: Math.min(node.ready * unit, members),
    settled: (node.settled ?? node.ready === node.parallelism) && hasItsThreads && hasItsTasks,
    unit,
    // Threads beyond the tasks have nothing to do; those of the last instance come with it.
    ...(tasks === 0 ? {} : { ceiling: Math.ceil(tasks / unit) * unit }),
    ...(node.spare === undefined ? {} : { spare: node.spare * unit }),
    attributes: { ...node.attributes, ...attributesOf(application, running, tasks) },
  };
}

/** What an algorithm is told of an application; numbers in decimal. */
function attributesOf(
  { applicationId, threadsPerInstance, subtopologies: named }: StreamsApplication,
  { state, members, assigned, subtopologies }: Running,
  tasks: number,
): Record<string, string> {
  const nameOf = (id: number) => named.find((one) => one.id === id)?.name ?? String(id);
  return {
    ...{ applicationId, state, threadsPerInstance: String(threadsPerInstance), members: String(members) },
    ...{ tasks: String(tasks), assignedTasks: String(assigned) },
    subtopologies: subtopologies.map(({ id }) => nameOf(id)).join(","),
    ...Object.fromEntries(
      subtopologies.flatMap((one) => [
        [`subtopology.${nameOf(one.id)}.tasks`, String(one.tasks)],
        [`subtopology.${nameOf(one.id)}.lag`, String(one.lag)],
        [`subtopology.${nameOf(one.id)}.topics`, one.topics.join(",")],
      ]),
    ),
  };
}

const readerOf = ({ application, state }: Found): Reader => ({
  ...{ name: application.name, applicationId: application.applicationId },
  topics: state.subtopologies.flatMap(({ topics }) => topics),
});

interface Found {
  readonly application: StreamsApplication;
  readonly state: Running;
}

function instancesOf(policy: Policy, { from, to, ...rest }: Change): Change {
  const unit = unitOf(policy, rest.node);
  return { ...rest, from: from / unit, to: Math.ceil(to / unit) };
}

/** What was granted, in threads; a number between two instances was rounded up. */
function threadsOf(policy: Policy, outcome: ChangeOutcome, change: Change | undefined): ChangeOutcome {
  if (outcome.outcome === "Failed")
    return { ...outcome, message: outcome.message.replace(KUBERNETES, FIELD) };
  const unit = unitOf(policy, outcome.node);
  const to = change?.to ?? 0;
  const granted = outcome.granted === undefined ? Math.ceil(to / unit) * unit : outcome.granted * unit;
  return { node: outcome.node, outcome: "Scaled", ...(granted === to ? {} : { granted }) };
}

function applicationsOf({ target }: Policy): readonly StreamsApplication[] {
  if (target.kind === "kafkaStreams") return target.applications;
  throw new Fault("Internal", `The driver of Kafka Streams was asked for ${target.kind}`);
}

const unitOf = (policy: Policy, node: string): number =>
  applicationsOf(policy).find(({ name }) => name === node)?.threadsPerInstance ?? 1;

/** What keeps the brokers from being asked is told of the application's own field. */
async function naming<T>(field: string, { name }: StreamsApplication, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    const { code, message, remedy, retry } = asFault(thrown);
    throw new Fault(code, `${name}: ${message}`, { field, remedy, retry, cause: thrown });
  }
}

/** The objects are nodes of a target of another kind to the driver that scales them. */
async function inOwnField<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    const { code, message, field = "", remedy, retry, retryAfterSeconds, cause } = asFault(thrown);
    throw new Fault(code, message, {
      field: field.replace(KUBERNETES, FIELD),
      remedy,
      retry,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      cause: cause ?? thrown,
    });
  }
}
