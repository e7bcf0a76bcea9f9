// What the operator in a cluster and the standalone host have in common.
import type { Artifacts } from "./artifact/index.ts";
import { startConsole, type Readiness, type View } from "./console/index.ts";
import { startEngine, type SandboxEngine, type Walls } from "./engine/index.ts";
import type { Fault } from "./fault/index.ts";
import type { Flags } from "./flags.ts";
import type { Policy, PolicyKey } from "./policy/index.ts";
import { openStore, placeOf } from "./store/index.ts";
import type { Logger, Telemetry } from "./telemetry/index.ts";

/** The machine's clock. */
export const clock = { now: () => new Date() };

/** Knowledge where the flags say it is; `epoch` is the term in which this replica has a policy, where there are others. */
export async function knowledge(
  { state, knowledgeUrlFile: urlFile }: Flags,
  log: Logger,
  epoch?: (key: PolicyKey) => number | undefined,
) {
  const report = (fault: Fault) => log.error({ code: fault.code }, fault.sentence);
  const place = await placeOf({ state, urlFile });
  const store = await openStore({ ...place, clock, report, ...defined({ epoch }) });
  return { ...store, [Symbol.asyncDispose]: () => store.close() };
}

/** The sandboxes of this host, or those of a supervisor that runs already. */
export async function sandboxes(
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

/** The console, until it is disposed of. */
export async function serve(
  { host, port }: Flags,
  metrics: Telemetry,
  view: () => View,
  ready: () => Readiness,
) {
  const console = await startConsole({ host, port, view, metrics: () => metrics.text(), ready });
  return { url: console.url, [Symbol.asyncDispose]: () => console.close() };
}

/** Logs a pass: quietly, unless something went wrong. */
export function tellPass(
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
export function defined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof defined<T>
  >;
}
