// The operator of a cluster, wired together.
import { randomUUID } from "node:crypto";
import { lookup } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Algorithms } from "./algorithm/index.ts";
import { registryArtifacts } from "./artifact/index.ts";
import {
  drivers,
  flinkAddress,
  flinkDriver,
  followTargets,
  jobsDriver,
  kafkaStreamsDriver,
  kubernetesDriver,
  type Targets,
} from "./driver/index.ts";
import { engineFor } from "./engine/index.ts";
import type { Fault } from "./fault/index.ts";
import type { Flags } from "./flags.ts";
import { jobManagers } from "./flink/index.ts";
import { kafka } from "./kafka/index.ts";
import { connect, leaseTimes, machineTime, type Cluster } from "./kube/index.ts";
import {
  followOwnership,
  handedOver,
  openNetwork,
  openShards,
  policyRegistry,
  startOperator,
  type Network,
  type Shards,
  type Watcher,
} from "./operator/index.ts";
import { clock, defined, knowledge, sandboxes, serve, tellPass } from "./parts.ts";
import { allowedLimits, liveKey, type Policy, type PolicyKey } from "./policy/index.ts";
import { shadowsFor } from "./shadows.ts";
import { flinkSource, sources } from "./source/index.ts";
import type { KnowledgeStore } from "./store/index.ts";
import {
  logger,
  telemetry,
  traces,
  watched,
  type Logger,
  type Telemetry,
  type Traces,
} from "./telemetry/index.ts";

const elapsedMs = () => performance.now();

/** Policies wait so long for the Tenants and the API servers to be read once, so that a start denies nobody what is granted. */
const TENANT_WAITS = 100;
const TENANT_WAIT_MS = 100;

/** Scales the policies of a cluster until the signal is given. */
export async function operator(flags: Flags, signal: AbortSignal): Promise<void> {
  const log = logger(flags.logLevel);
  const metrics = telemetry();
  const cluster = connect({
    time: machineTime,
    ...defined({ kubeconfig: flags.kubeconfig, context: flags.context }),
  });
  const artifacts = await registries(flags);
  await using engine = await sandboxes(flags, artifacts, log);
  const onFault = (fault: Fault, key?: string) => {
    metrics.fault(fault.code);
    log.warn({ code: fault.code, policy: key }, fault.sentence);
  };
  const around = { flags, cluster, signal, onFault };
  const network = await networkOf(around);
  const shards = await sharing(around, log);
  const epoch = shards && ((key: PolicyKey) => shards.epochOf(liveKey(key)));
  await using store = await knowledge(flags, log, epoch);
  const limits = (policy: Policy) =>
    allowedLimits(policy, network.tenants.ceilingOf(policy.namespace).limits);
  const registry = policyRegistry(cluster, artifacts);
  const algorithms = new Algorithms(registry, engine, elapsedMs, limits);
  const { effects } = network;
  const shadows = shadowsFor({ sandboxes: engine, registry, store, metrics, log, clock, limits, effects });
  await using trace = await tracing(flags);
  const targets = await followTargets({ ...around, kinds: flags.informers, time: machineTime });
  const applications = reaching(cluster, network, targets);
  const world = {
    clock,
    ...defined({ mayWrite: shards && ((policy: Policy) => shards.mayWrite(policy.key)) }),
    ...applications.ways,
    engine: shadows.beside(
      engineFor(engine, (policy) => algorithms.of(policy).artifacts, effects, clock, { limits }),
    ),
    store: shards === undefined ? store : handedOver({ store, cluster, shards, clock, onFault }),
  };
  const running = await startOperator({
    ...{ cluster, algorithms, shadows, time: machineTime, signal },
    ...defined({ shards }),
    ownership: (tell) => followOwnership({ ...around, tell, time: machineTime }),
    world: watched(world, metrics.waited, trace),
    concurrency: flags.concurrency,
    together: flags.isolation === "tenant",
    instance: hostname(),
    watcher: watcherOf({ metrics, log, store, trace }, onFault),
  });
  metrics.follow(() => running.figures(targets.informers));
  const ready = () => {
    const checks = { policies: running.hasSynced(), tenants: network.tenants.hasSynced() };
    return { ok: checks.policies && checks.tenants, checks };
  };
  await using console = await serve(flags, metrics, running.view, ready);
  log.info({ console: console.url.href }, `the operator runs; console on ${console.url.href}`);
  await running.ended;
  await Promise.all([network.ended, shards?.ended, targets.ended]);
  await Promise.all([applications.close(), artifacts.close(), cluster.close()]);
}

/** The ways to the applications of policies: who scales them, and who reads their figures. */
function reaching(cluster: Cluster, { endpoint, brokers, credentials }: Network, targets: Targets) {
  const flink = jobManagers(flinkAddress(cluster, endpoint));
  const asked = kafka({ brokers, proof: credentials.forBrokers });
  const kubernetes = kubernetesDriver(cluster, targets);
  const driver = drivers({
    kubernetes,
    flink: flinkDriver({ cluster, jobManagers: flink, time: machineTime }),
    kafkaStreams: kafkaStreamsDriver(kubernetes, asked),
    jobs: jobsDriver(cluster),
  });
  const credential = credentials.forService;
  const read = sources({ endpoint, credential, flink: flinkSource(flink), kafka: asked });
  return {
    ways: { driver, sources: read },
    close: () => Promise.all([read.close(), flink.close()]),
  };
}

async function registries(flags: Flags) {
  const ca = flags.registryCa === undefined ? undefined : await readFile(flags.registryCa, "utf8");
  return registryArtifacts({
    directory: join(flags.state, "modules"),
    insecure: flags.insecureRegistries,
    ...defined({ ca }),
  });
}

interface Around {
  readonly flags: Flags;
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
  readonly onFault: (fault: Fault) => void;
}

interface Watching {
  readonly metrics: Telemetry;
  readonly log: Logger;
  readonly store: KnowledgeStore;
  readonly trace: Traces;
}

async function tracing({ traces: endpoint }: Flags): Promise<Traces & AsyncDisposable> {
  const trace = await traces(endpoint);
  return { ...trace, [Symbol.asyncDispose]: () => trace.close() };
}

/** Who counts, logs and forgets what the operator does. */
function watcherOf({ metrics, log, store, trace }: Watching, failed: Watcher["failed"]): Watcher {
  return {
    late: metrics.late,
    passed: (policy, iteration, seconds) => {
      metrics.observe(iteration, policy, seconds);
      const { number, outcome, fault } = iteration;
      trace.end(policy.key, { "sluice.pass": number, "sluice.outcome": outcome }, fault?.code);
      tellPass(log, policy, iteration);
    },
    known: () => store.keys(),
    gone: async (key) => {
      metrics.remove(key);
      await store.forget(key);
    },
    failed,
  };
}

/** This replica's part in the work, where there are others. */
async function sharing(
  { flags, cluster, signal, onFault }: Around,
  log: Logger,
): Promise<Shards | undefined> {
  if (flags.sharing === undefined) return undefined;
  const { namespace, shards, leaseSeconds } = flags.sharing;
  return openShards({
    ...{ cluster, namespace, shards, onFault, time: machineTime, signal },
    identity: randomUUID(),
    times: leaseTimes(leaseSeconds),
    say: (message) => log.info(message),
  });
}

/** What policies may reach, as far as it is known within the time that a start waits for it. */
async function networkOf({ flags, cluster, signal, onFault }: Around): Promise<Network> {
  const network = await openNetwork({
    ...{ cluster, time: machineTime, signal, onFault },
    addresses: flags.serviceAddresses,
    denied: flags.denyAddresses,
    reached: await addressesOf(await cluster.host()),
    namespace: flags.namespace,
  });
  for (let waits = 0; waits < TENANT_WAITS && !network.hasSynced(); waits += 1) await sleep(TENANT_WAIT_MS);
  return network;
}

/** Where the operator reaches the API server, which no algorithm is to ask. */
async function addressesOf(host: string): Promise<string[]> {
  const found = await lookup(host.replace(/^\[|\]$/g, ""), { all: true }).catch(() => []);
  return found.map(({ address }) => address);
}
