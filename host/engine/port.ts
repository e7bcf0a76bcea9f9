import { Fault } from "../fault/index.ts";
import type { Engine, PassInput } from "../loop/index.ts";
import { STEPS, type Policy, type Step, type TenantKey } from "../policy/index.ts";
import { LIMITS } from "../tenant/index.ts";
import type { Perform } from "./effects.ts";
import type { SandboxEngine } from "./engine.ts";
import type { StepModule } from "./message.ts";

/** A module of a policy's algorithm: one for all steps, or for one of them. */
export interface UsedModule {
  readonly step: Step | "all";
  readonly digest: string;
}

/** A thousand modules of a hundred tenants are far more than a cluster runs; past that they are asked again. */
const MODULES_KNOWN = 10_000;

/**
 * The engine as the loop knows it: `modules` says which digests a policy runs, `effects` who has effects for it; without one
 * its algorithm can have none.
 */
export function engineFor(
  engine: SandboxEngine,
  modules: (policy: Policy) => readonly UsedModule[],
  effects: (policy: Policy) => Perform | undefined = () => undefined,
): Engine {
  const offered = new Map<string, readonly Step[]>();
  /** Asked once for each module: what it exports does not change with a digest. */
  const offers = async (tenant: TenantKey, digest: string): Promise<readonly Step[]> => {
    const known = offered.get(`${tenant} ${digest}`);
    if (known !== undefined) return known;
    const { steps } = await engine.inspect({ tenant, digest });
    if (offered.size >= MODULES_KNOWN) offered.clear();
    offered.set(`${tenant} ${digest}`, steps);
    return steps;
  };
  return {
    async run(policy, input) {
      const { tenant } = policy;
      const steps = await stepsOf((digest) => offers(tenant, digest), modules(policy));
      const limits = { cpuMs: policy.algorithm.cpuMs, wallMs: LIMITS.wallMs };
      return engine.pass({
        tenant,
        steps,
        texts: textsOf(policy, input),
        limits,
        effects: effects(policy),
      });
    },
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
  const nodes = topology.nodes.map(({ revision: _revision, ...shown }) => shown);
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
