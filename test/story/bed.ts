import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import {
  cluster,
  exposition,
  prometheus,
  registry,
  type Cluster,
  type Exposition,
  type Prometheus,
} from "../world/index.ts";
import { application, pullSecret } from "./policy.ts";
import { operatorKubeconfig } from "./operator.ts";

const run = promisify(execFile);
export const ROOT = resolve(import.meta.dirname, "../..");

type Registry = Awaited<ReturnType<typeof registry>>;

/** Everything that a story plays in: a cluster with Sluice installed, a registry, a Prometheus, and a load to turn. */
export interface Stage extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly registry: Registry;
  readonly prometheus: Prometheus;
  readonly load: Exposition;
  readonly folder: string;
  /** A kubeconfig with the operator's own rights. */
  readonly kubeconfig: string;
  /** Flags for an operator that runs beside the cluster. */
  flags(namespaces: readonly string[]): string[];
  /** A namespace with an application, its metrics' service, and the rights that a tenant grants. */
  tenant(nodes: readonly string[]): Promise<string>;
  /** Pushes a file by the command line tool and returns its reference. */
  push(file: string, name: string): Promise<string>;
}

/**
 * Sets the stage; takes about ten seconds. `install` puts Sluice into the cluster: its kinds, and its account `sluice`.
 * Prometheus scrapes the targets as well as the load.
 */
export async function stage(
  install: (real: Cluster) => Promise<void> = byManifests,
  targets: readonly string[] = [],
): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-stage-"));
  const [real, store, load] = await Promise.all([
    cluster({ audit: true }),
    registry({ auth: "basic" }),
    exposition(),
  ]);
  const metrics = await prometheus({ targets: [load.target, ...targets] });
  const { kubectl } = real;
  await real.applyNode("node-1", { pods: "500" });
  await install(real);
  await kubectl([
    "wait",
    '--for=jsonpath={.status.conditions[?(@.type=="Established")].status}=True',
    "crd/scalingpolicies.sluice.dev",
    "crd/tenants.sluice.dev",
    "crd/credentials.sluice.dev",
    "crd/clustercredentials.sluice.dev",
    "--timeout=30s",
  ]);
  await kubectl([
    "wait",
    "--for=create",
    "serviceaccount/sluice",
    "--namespace",
    "sluice-system",
    "--timeout=30s",
  ]);
  const kubeconfig = await operatorKubeconfig(real, folder);
  return {
    ...{ cluster: real, registry: store, prometheus: metrics, load, folder, kubeconfig },
    flags: (namespaces) => [
      ...["--insecure-registry", store.host],
      ...namespaces.flatMap((one) => ["--service-address", `${one}/prometheus:9090=${metrics.url}`]),
    ],
    tenant: async (nodes) => {
      const namespace = await real.namespace();
      const inNamespace = ["--namespace", namespace];
      await kubectl(["apply", ...inNamespace, "--filename", join(ROOT, "install/tenant.yaml")]);
      const manifests = [application(nodes), pullSecret(store.host, store.username, store.password)].join(
        "\n---\n",
      );
      await kubectl(["apply", ...inNamespace, "--filename", "-"], { input: manifests });
      return namespace;
    },
    push: (file, name) => push(file, `oci://${store.host}/algorithms/${name}`, store),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([real.stop(), store.stop(), metrics.stop(), load.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function byManifests({ kubectl }: Cluster): Promise<void> {
  await kubectl(["apply", "--server-side", "--filename", join(ROOT, "crds")]);
  await kubectl(["apply", "--filename", join(ROOT, "install/operator.yaml")]);
}

/** Pushes a file by the command line tool and returns its reference. */
export async function push(
  file: string,
  reference: string,
  { username, password }: Registry,
): Promise<string> {
  const flags = ["--username", username, "--password-stdin", "--plain-http"];
  const pushing = run(
    process.execPath,
    ["--no-warnings", "host/cli/main.ts", "push", file, reference, ...flags],
    { cwd: ROOT },
  );
  pushing.child.stdin?.end(password);
  await pushing;
  return reference;
}

export interface Condition {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** The conditions of a policy by their type; none while there is no status. */
export async function conditions(
  { cluster: { kubectl } }: Stage,
  namespace: string,
  name: string,
): Promise<Record<string, Condition>> {
  const text = await kubectl(["get", "scalingpolicy", name, "--namespace", namespace, "--output", "json"]);
  const { status } = JSON.parse(text) as {
    status?: { conditions?: readonly (Condition & { type: string })[] };
  };
  return Object.fromEntries((status?.conditions ?? []).map((one) => [one.type, one]));
}

/** What each Deployment is asked to run, and how many of its pods are ready. */
export async function replicas(
  { cluster: { kubectl } }: Stage,
  namespace: string,
): Promise<Record<string, string>> {
  const text = await kubectl(["get", "deployments", "--namespace", namespace, "--output", "json"]);
  const { items } = JSON.parse(text) as {
    items: readonly {
      metadata: { name: string };
      spec: { replicas: number };
      status: { readyReplicas?: number };
    }[];
  };
  return Object.fromEntries(
    items.map((one) => [one.metadata.name, `${one.status.readyReplicas ?? 0}/${one.spec.replicas}`]),
  );
}

/** The writes to scale subresources in a namespace, by who is said to have made them. */
export const scaleWriters = (stage: Stage, namespace: string): Promise<string[]> =>
  callers(
    stage,
    ({ verb, objectRef }) =>
      objectRef?.namespace === namespace && objectRef.subresource === "scale" && verb === "update",
  );

/** Who read a service, by who is said to have asked. */
export const serviceReaders = (stage: Stage, namespace: string, name: string): Promise<string[]> =>
  readers(stage, namespace, "services", name);

/** Who read one object, by who is said to have asked. */
export const readers = (stage: Stage, namespace: string, resource: string, name: string): Promise<string[]> =>
  callers(
    stage,
    ({ verb, objectRef }) =>
      objectRef?.namespace === namespace &&
      objectRef.resource === resource &&
      objectRef.name === name &&
      verb === "get",
  );

async function callers(
  { cluster: { auditLog } }: Stage,
  counts: (event: AuditEvent) => boolean,
): Promise<string[]> {
  if (auditLog === undefined) return [];
  const lines = (await readFile(auditLog, "utf8")).trim().split("\n");
  const seen = lines.map((line) => JSON.parse(line) as AuditEvent).filter(counts);
  return [...new Set(seen.map((one) => one.impersonatedUser?.username ?? one.user.username))];
}

interface AuditEvent {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly impersonatedUser?: { readonly username: string };
  readonly objectRef?: {
    readonly namespace?: string;
    readonly resource?: string;
    readonly name?: string;
    readonly subresource?: string;
  };
}
