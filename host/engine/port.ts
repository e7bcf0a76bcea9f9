import { asFault, Fault } from "../fault/index.ts";
import type { Clock, Engine, PassAnswers, PassInput } from "../loop/index.ts";
import { STEPS, type Policy, type PolicyKey, type Step, type StepLimits } from "../policy/index.ts";
import { LIMITS } from "../tenant/index.ts";
import { Breaker } from "./breaker.ts";
import type { Perform } from "./effects.ts";
import type { LookedAt, SandboxEngine } from "./engine.ts";
import type { StepModule } from "./message.ts";

/** A module of a policy's algorithm: one for all steps, or for one of them. */
export interface UsedModule {
  readonly step: Step | "all";
  readonly digest: string;
}

/** A thousand modules of a hundred tenants are far more than a cluster runs; past that they are asked again. */
const MODULES_KNOWN = 10_000;

/** How the passes of an engine differ from those of others. */
export interface PassRules {
  /** What the steps of a policy have; throws for one that asks for more than it may have. Default: what it asks for. */
  readonly limits?: (policy: Policy) => StepLimits;
  /** Whether they run only on what is to spare. Default: each waits for its turn. */
  readonly spare?: boolean;
}

/**
 * The engine as the loop knows it: `modules` says which digests a policy runs, `effects` who has effects for it; without one
 * its algorithm can have none. A policy has one pass at a time, and none while its algorithm costs too much (`BreakerOpen`).
 */
export function engineFor(
  engine: SandboxEngine,
  modules: (policy: Policy) => readonly UsedModule[],
  effects: (policy: Policy) => Perform | undefined = () => undefined,
  clock: Clock = { now: () => new Date() },
  { limits: limitsOf = ({ algorithm }) => algorithm.limits, spare = false }: PassRules = {},
): Engine {
  const offers = offersOf(engine);
  const breaker = new Breaker(clock);
  const pass = async (policy: Policy, input: PassInput): Promise<PassAnswers> => {
    const { tenant } = policy;
    const used = modules(policy);
    const digests = used.map(({ digest }) => digest);
    breaker.check(policy, digests);
    try {
      const limits = { ...limitsOf(policy), wallMs: LIMITS.wallMs };
      const { memoryPages } = limits;
      const steps = await stepsOf((digest) => offers({ tenant, digest, memoryPages, spare }), used);
      const texts = textsOf(policy, input);
      const answers = await engine.pass({ tenant, steps, texts, limits, effects: effects(policy), spare });
      breaker.succeeded(policy);
      return answers;
    } catch (thrown) {
      const fault = asFault(thrown);
      breaker.failed(policy, digests, fault);
      throw fault;
    }
  };
  return { run: oneAtATime(pass) };
}

/** The queue hands out one pass of a policy at a time. Should another caller not, the second waits for the first. */
function oneAtATime(run: Engine["run"]): Engine["run"] {
  const last = new Map<PolicyKey, Promise<unknown>>();
  return async (policy, input) => {
    const before = last.get(policy.key);
    const own = before === undefined ? run(policy, input) : before.then(() => run(policy, input));
    const settled = own.then(
      () => undefined,
      () => undefined,
    );
    last.set(policy.key, settled);
    try {
      return await own;
    } finally {
      if (last.get(policy.key) === settled) last.delete(policy.key);
    }
  };
}

/** What modules export. Asked once for each: it does not change with a digest. */
function offersOf(engine: SandboxEngine): (module: LookedAt) => Promise<readonly Step[]> {
  const offered = new Map<string, readonly Step[]>();
  return async (module) => {
    const key = `${module.tenant} ${module.digest} ${module.memoryPages}`;
    const known = offered.get(key);
    if (known !== undefined) return known;
    const { steps } = await engine.inspect(module);
    if (offered.size >= MODULES_KNOWN) offered.clear();
    offered.set(key, steps);
    return steps;
  };
}

/** Which module makes which step: one that is named for a step has that step, one for all has those that it exports. */
async function stepsOf(
  offers: (digest: string) => Promise<readonly Step[]>,
  used: readonly UsedModule[],
): Promise<StepModule[]> {
  const steps: StepModule[] = [];
  for (const { step, digest } of used) {
    const offered = await offers(digest);
    const wanted = step === "all" ? offered : [step];
    const missing = wanted.find((one) => !offered.includes(one));
    if (missing !== undefined)
      throw new Fault("ArtifactInvalid", `The module ${digest} has no step ${missing}`);
    steps.push(...wanted.map((one) => ({ step: one, digest })));
  }
  if (!steps.some(({ step }) => step === "plan"))
    throw new Fault("ArtifactInvalid", "The algorithm has no step plan");
  return STEPS.flatMap((step) => steps.filter((one) => one.step === step));
}

/** What the steps are shown, each part as JSON text; what is for writes only stays here. */
function textsOf(
  { namespace, name, algorithm }: Policy,
  { iteration, topology, sources, past }: PassInput,
): Record<string, string> {
  const nodes = topology.nodes.map(
    ({
      revision: _revision,
      settled: _settled,
      spare: _spare,
      unit: _unit,
      adjustable: _adjustable,
      ...shown
    }) => shown,
  );
  return {
    iteration: JSON.stringify(iteration),
    policy: JSON.stringify({ namespace, name }),
    topology: JSON.stringify({ ...topology, nodes }),
    sources: JSON.stringify(sources),
    history: JSON.stringify(past.history),
    config: algorithm.config,
    ...(past.carry === undefined ? {} : { carry: past.carry }),
  };
}
