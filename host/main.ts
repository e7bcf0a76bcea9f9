// The host's entry point: it reads flags and environment, and runs what they ask for.
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { Algorithms } from "./algorithm/index.ts";
import { layoutArtifacts } from "./artifact/index.ts";
import { operator } from "./clustered.ts";
import { showInTerminal, type View } from "./console/index.ts";
import { engineFor } from "./engine/index.ts";
import { asFault, Fault } from "./fault/index.ts";
import { HELP, readFlags, type Flags } from "./flags.ts";
import { clock, knowledge, sandboxes, serve, tellPass } from "./parts.ts";
import { parsePolicy, type Policy } from "./policy/index.ts";
import { shadowsFor } from "./shadows.ts";
import { simulate, SIMULATED_POLICY } from "./simulator/index.ts";
import { startStandalone } from "./standalone/index.ts";
import { logger, telemetry } from "./telemetry/index.ts";

const elapsedMs = () => performance.now();
/** Where the build lays out the algorithms that come with Sluice. */
const EMBEDDED = fileURLToPath(new URL("../build/registry", import.meta.url));

/** So far into its day the simulated application begins: its load is already rising. */
const MORNING_MS = 20_000;

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
  await (flags.command === "operator" ? operator(flags, stop.signal) : standalone(flags));
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
