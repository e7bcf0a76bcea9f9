import { asFault, Fault, type Problem } from "../fault/index.ts";
import type { Step, StepLimits, Policy, PolicyKey, TenantKey } from "../policy/index.ts";

/** A module of a policy's algorithm, resolved: what was named, and the bytes' digest. */
export interface LoadedArtifact {
  readonly step: Step | "all";
  readonly reference: string;
  readonly digest: string;
}

export interface Loaded {
  readonly artifacts: readonly LoadedArtifact[];
  /** Why a digest that ran before keeps running, although its reference could not be resolved again. */
  readonly stale: Fault | undefined;
}

/** Where references are resolved and bytes are kept. */
export interface Registry {
  /** Resolves the reference, and keeps its bytes. Throws an `Artifact…` fault. */
  resolve(policy: Policy, reference: string): Promise<{ readonly digest: string }>;
  /** Whether the tenant's bytes of this digest are at hand without a registry. */
  has(tenant: TenantKey, digest: string): Promise<boolean>;
}

/** Looks at a module in a sandbox before it may run. */
export interface Admission {
  /** What a module says of itself. Throws `ArtifactInvalid` if it is no algorithm. */
  inspect(ask: Looked): Promise<{ readonly metadata: Readonly<Record<string, unknown>> | undefined }>;
  /** What is wrong with a config, by the schema inside the module. */
  checkConfig(ask: Looked & { readonly config: string }): Promise<readonly Problem[]>;
}
/** A tenant's module, under the limits that it is to run under. */
interface Looked {
  readonly tenant: TenantKey;
  readonly digest: string;
  readonly memoryPages: number;
}

/** How long a digest keeps running before its registry is asked again. */
const STALE_RETRY_MS = 60_000;

interface Held {
  readonly fingerprint: string;
  readonly loaded: Loaded;
  readonly untilMs: number;
}

/**
 * The algorithms of all policies. A tag is resolved once for each generation of a policy; from then on its digest is what
 * runs. When the registry is down, a digest that ran for the same reference keeps running.
 */
export class Algorithms {
  readonly #held = new Map<PolicyKey, Held>();
  readonly #registry: Registry;
  readonly #admission: Admission;
  readonly #elapsedMs: () => number;
  readonly #limits: (policy: Policy) => StepLimits;

  /** `limits` says what the steps of a policy have; it throws for one that asks for more than it may have. */
  constructor(
    registry: Registry,
    admission: Admission,
    elapsedMs: () => number,
    limits: (policy: Policy) => StepLimits = ({ algorithm }) => algorithm.limits,
  ) {
    this.#registry = registry;
    this.#admission = admission;
    this.#elapsedMs = elapsedMs;
    this.#limits = limits;
  }

  /** Resolves and admits a policy's algorithm; `running` is what its status says was run last. Throws a fault. */
  async load(policy: Policy, running: readonly { artifact: string; digest: string }[]): Promise<Loaded> {
    const { memoryPages } = this.#limits(policy);
    const fingerprint = `${policy.uid}/${policy.generation}/${memoryPages}`;
    const held = this.#held.get(policy.key);
    if (held?.fingerprint === fingerprint && this.#elapsedMs() < held.untilMs) return held.loaded;
    const known = [
      ...running,
      ...(held?.loaded.artifacts ?? []).map(({ reference, digest }) => ({ artifact: reference, digest })),
    ];
    const loaded = await this.#resolve(policy, known);
    for (const artifact of loaded.artifacts) await this.#admit(policy, artifact, memoryPages);
    const untilMs = loaded.stale === undefined ? Infinity : this.#elapsedMs() + STALE_RETRY_MS;
    this.#held.set(policy.key, { fingerprint, loaded, untilMs });
    return loaded;
  }

  /** What a policy runs now. Throws `Internal` for one that was not loaded. */
  of(policy: Policy): Loaded {
    const held = this.#held.get(policy.key);
    if (held === undefined) throw new Fault("Internal", `The algorithm of ${policy.key} was not loaded`);
    return held.loaded;
  }

  forget(key: PolicyKey): void {
    this.#held.delete(key);
  }

  async #resolve(policy: Policy, known: readonly { artifact: string; digest: string }[]): Promise<Loaded> {
    let stale: Fault | undefined;
    const artifacts: LoadedArtifact[] = [];
    for (const { step, reference, field } of policy.algorithm.artifacts) {
      try {
        artifacts.push({ step, reference, digest: (await this.#registry.resolve(policy, reference)).digest });
      } catch (thrown) {
        const fault = at(field, asFault(thrown));
        const digest = known.find((one) => one.artifact === reference)?.digest;
        const survives = fault.code === "ArtifactUnavailable" && digest !== undefined;
        if (!survives || !(await this.#registry.has(policy.tenant, digest))) throw fault;
        artifacts.push({ step, reference, digest });
        stale = fault;
      }
    }
    return { artifacts, stale };
  }

  async #admit(policy: Policy, { digest, reference }: LoadedArtifact, memoryPages: number): Promise<void> {
    const module = { tenant: policy.tenant, digest, memoryPages };
    const field =
      policy.algorithm.artifacts.find((one) => one.reference === reference)?.field ?? policy.algorithm.field;
    try {
      const { metadata } = await this.#admission.inspect(module);
      checkHosts(metadata?.["hosts"], policy);
    } catch (thrown) {
      throw at(field, asFault(thrown));
    }
    const [problem] = await this.#admission.checkConfig({ ...module, config: policy.algorithm.config });
    if (problem === undefined) return;
    const inside = problem.field === "" ? "" : `.${problem.field}`;
    throw new Fault("ConfigInvalid", problem.message, { field: `${policy.algorithm.field}.config${inside}` });
  }
}

/** A module that says it asks hosts which its policy has no rule for is refused before it runs: it would fail in each pass. */
function checkHosts(wanted: unknown, { algorithm: { egress, field } }: Policy): void {
  const hosts = Array.isArray(wanted) ? wanted.filter((one): one is string => typeof one === "string") : [];
  const granted = (host: string) =>
    egress.services.some(({ service }) => service.name === host) ||
    egress.hosts.some((rule) => rule.host === host || matchesStar(rule.host, host));
  const missing = hosts.find((host) => !granted(host));
  if (missing === undefined) return;
  throw new Fault(
    "EffectDenied",
    `The algorithm says that it asks ${missing.slice(0, 253)}, and no rule allows it`,
    {
      remedy: `Add a rule for it under ${field}.egress.`,
    },
  );
}

/** The star of `*.example.com` stands for one label. */
const matchesStar = (rule: string, host: string): boolean =>
  rule.startsWith("*.") && host.slice(host.indexOf(".") + 1) === rule.slice("*.".length);

/** The same fault, with the field of the policy that named the artifact. */
function at(field: string, fault: Fault): Fault {
  const { code, message, remedy, retry, retryAfterSeconds } = fault;
  return new Fault(code, message, {
    field,
    remedy,
    retry,
    cause: fault,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}
