// The host's entry point: it reads flags and environment, and wires everything together.
import { readFile } from "node:fs/promises";
import { lookup } from "node:dns/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { Algorithms } from "./algorithm/index.ts";
import { layoutArtifacts, registryArtifacts, type Artifacts } from "./artifact/index.ts";
import { showInTerminal, startConsole, type Readiness, type View } from "./console/index.ts";
import { kubernetesDriver } from "./driver/index.ts";
import { engineFor, startEngine, type SandboxEngine, type Walls } from "./engine/index.ts";
import { asFault, Fault } from "./fault/index.ts";
import { HELP, readFlags, type Flags } from "./flags.ts";
import { connect, machineTime, type Cluster } from "./kube/index.ts";
import { openNetwork, policyRegistry, startOperator, type Network, type Watcher } from "./operator/index.ts";
import { allowedLimits, parsePolicy, type Policy } from "./policy/index.ts";
import { shadowsFor } from "./shadows.ts";
import { simulate, SIMULATED_POLICY } from "./simulator/index.ts";
import { sources } from "./source/index.ts";
import { startStandalone } from "./standalone/index.ts";
import { openStore, placeOf, type KnowledgeStore } from "./store/index.ts";
import {
  logger,
  telemetry,
  traces,
  watched,
  type Logger,
  type Telemetry,
  type Traces,
} from "./telemetry/index.ts";

const clock = { now: () => new Date() };
const elapsedMs = () => performance.now();
/** Where the build lays out the algorithms that come with Sluice. */
const EMBEDDED = fileURLToPath(new URL("../build/registry", import.meta.url));

/** So far into its day the simulated application begins: its load is already rising. */
const MORNING_MS = 20_000;

/** Policies wait so long for the Tenants and the API servers to be read once, so that a start denies nobody what is granted. */
const TENANT_WAITS = 100;
const TENANT_WAIT_MS = 100;

const stop = new AbortController();
process.on("SIGTERM", () => stop.abort());
process.on("SIGINT", () => stop.abort());

try {
  await main(readFlags(process.argv.slice(2)));
} catch (thrown) {
  const fault = asFault(thrown);
  process.stderr.write(`sluice: ${fault.code}: ${fault.sentence}\n`);
  process.exitCode = fault.code === "UsageInvalid" ? 2 : 1;
}

async function main(flags: Flags): Promise<void> {
  if (flags.command === "help") return void process.stdout.write(HELP);
  if (flags.forSeconds !== undefined) setTimeout(() => stop.abort(), flags.forSeconds * 1_000).unref();
  await (flags.command === "operator" ? operator(flags) : standalone(flags));
}

async function operator(flags: Flags): Promise<void> {
  const log = logger(flags.logLevel);
  const metrics = telemetry();
  const { signal } = stop;
  const cluster = connect({
    time: machineTime,
    ...defined({ kubeconfig: flags.kubeconfig, context: flags.context }),
  });
  const artifacts = await registries(flags);
  await using store = await knowledge(flags, log);
  await using engine = await sandboxes(flags, artifacts, log);
  const onFault = (fault: Fault, key?: string) => {
    metrics.fault(fault.code);
    log.warn({ code: fault.code, policy: key }, fault.sentence);
  };
  const network = await networkOf(flags, cluster, onFault);
  const limits = (policy: Policy) =>
    allowedLimits(policy, network.tenants.ceilingOf(policy.namespace).limits);
  const registry = policyRegistry(cluster, artifacts);
  const algorithms = new Algorithms(registry, engine, elapsedMs, limits);
  const { effects } = network;
  const shadows = shadowsFor({ sandboxes: engine, registry, store, metrics, log, clock, limits, effects });
  await using trace = await tracing(flags);
  const world = {
    clock,
    driver: kubernetesDriver(cluster),
    sources: sources({ endpoint: network.endpoint, credential: network.credentials.forService }),
    engine: shadows.beside(
      engineFor(engine, (policy) => algorithms.of(policy).artifacts, effects, clock, { limits }),
    ),
    store,
  };
  const running = await startOperator({
    ...{ cluster, algorithms, shadows, time: machineTime, signal },
    world: watched(world, metrics.waited, trace),
    concurrency: flags.concurrency,
    instance: hostname(),
    watcher: watcherOf({ metrics, log, store, trace }, onFault),
  });
  metrics.follow(running.figures);
  const ready = () => {
    const checks = { policies: running.hasSynced(), tenants: network.tenants.hasSynced() };
    return { ok: checks.policies && checks.tenants, checks };
  };
  await using console = await serve(flags, metrics, running.view, ready);
  log.info({ console: console.url.href }, `the operator runs; console on ${console.url.href}`);
  await running.ended;
  await network.ended;
  await Promise.all([world.sources.close(), artifacts.close(), cluster.close()]);
}

async function registries(flags: Flags) {
  const ca = flags.registryCa === undefined ? undefined : await readFile(flags.registryCa, "utf8");
  return registryArtifacts({
    directory: join(flags.state, "modules"),
    insecure: flags.insecureRegistries,
    ...defined({ ca }),
  });
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

/** What policies may reach, as far as it is known within the time that a start waits for it. */
async function networkOf(flags: Flags, cluster: Cluster, onFault: (fault: Fault) => void): Promise<Network> {
  const network = await openNetwork({
    ...{ cluster, time: machineTime, signal: stop.signal, onFault },
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

async function standalone(flags: Flags): Promise<void> {
  const log = logger(flags.logLevel);
  const metrics = telemetry();
  const { signal } = stop;
  const policy = await readPolicy(flags.policy ?? fileURLToPath(SIMULATED_POLICY));
  const artifacts = layoutArtifacts(EMBEDDED);
  await using store = await knowledge(flags, log);
  await using engine = await sandboxes(flags, artifacts, log);
  const registry = {
    resolve: (one: Policy, reference: string) => artifacts.resolve(one.tenant, reference),
    has: artifacts.has,
  };
  const algorithms = new Algorithms(registry, engine, elapsedMs);
  const shadows = shadowsFor({ sandboxes: engine, registry, store, metrics, log, clock });
  const world = {
    clock,
    ...simulate({ clock, dawn: new Date(Date.now() - MORNING_MS) }),
    engine: shadows.beside(engineFor(engine, (one) => algorithms.of(one).artifacts)),
    store,
  };
  const show = showInTerminal(process.stdout, { color: process.env["NO_COLOR"] === undefined });
  const failed = (fault: Fault) => {
    metrics.fault(fault.code);
    log.error({ code: fault.code }, fault.sentence);
  };
  // The console comes first: a port that is taken is better known before anything is scaled.
  let view: () => View = () => ({ policies: [] });
  let passed = () => false;
  await using console = await serve(
    flags,
    metrics,
    () => view(),
    () => ({ ok: passed(), checks: { passed: passed() } }),
  );
  process.stdout.write(
    `Sluice runs a simulated application; console on ${console.url.href}, Ctrl-C ends it.\n\n`,
  );
  const running = startStandalone({
    ...{ policy, world, algorithms, shadows, failed, signal },
    last: (await store.entries(policy.key, 1))[0],
    pause: (ms) => sleep(Math.max(0, ms), undefined, { signal }).catch(() => undefined),
    observe: (iteration, seconds) => {
      metrics.observe(iteration, policy, seconds);
      tellPass(log, policy, iteration);
      show(running.view());
    },
  });
  ({ view, hasPassed: passed } = running);
  await running.ended;
  await artifacts.close();
}

async function knowledge({ state, knowledgeUrlFile: urlFile }: Flags, log: Logger) {
  const report = (fault: Fault) => log.error({ code: fault.code }, fault.sentence);
  const store = await openStore({ ...(await placeOf({ state, urlFile })), clock, report });
  return { ...store, [Symbol.asyncDispose]: () => store.close() };
}

async function sandboxes(
  { sandboxes: limit, blanks, isolation, supervisorSocket }: Flags,
  artifacts: Artifacts,
  log: Logger,
): Promise<SandboxEngine & AsyncDisposable> {
  const engine = await startEngine({
    ...{ sandboxes: limit, blanks, isolation },
    ...defined({ socket: supervisorSocket }),
    modules: (tenant, digest) => artifacts.bytes(tenant, digest),
    onWalls: (walls) => tellWalls(log, walls),
  });
  return Object.assign(engine, { [Symbol.asyncDispose]: () => engine.close() });
}

/** Says once which walls of the kernel stand around the sandboxes, so that whoever installs this can close the rest. */
function tellWalls(log: Logger, walls: Walls): void {
  const network = walls.network ? "an empty network of their own" : "the network of their supervisor";
  const user = walls.user ? "a user of their own" : "the user of their supervisor";
  log.info({ walls }, `sandboxes have ${network}, and ${user}`);
}

async function serve({ host, port }: Flags, metrics: Telemetry, view: () => View, ready: () => Readiness) {
  const console = await startConsole({ host, port, view, metrics: () => metrics.text(), ready });
  return { url: console.url, [Symbol.asyncDispose]: () => console.close() };
}

async function readPolicy(file: string): Promise<Policy> {
  const text = await readFile(file, "utf8").catch((thrown: unknown) => {
    throw new Fault("UsageInvalid", `--policy ${file} cannot be read`, {
      cause: thrown,
      remedy: "Name a file.",
    });
  });
  const parsed = parsePolicy(parse(text));
  if (!parsed.ok) throw parsed.fault;
  return parsed.value;
}

function tellPass(
  log: Logger,
  policy: Policy,
  { number, outcome, fault, logs }: Parameters<Telemetry["observe"]>[0],
): void {
  const about = { policy: policy.key, pass: number, outcome };
  if (fault === undefined) log.debug(about, "pass");
  else log.warn({ ...about, code: fault.code }, fault.message);
  for (const { step, level, text } of logs ?? []) log[level]({ policy: policy.key, step }, text);
}

/** Options that were given: an option that is undefined is not there. */
function defined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof defined<T>
  >;
}
