import { randomBytes } from "node:crypto";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { testworldBinary } from "./build.ts";
import { flagsOf, type Layout } from "./control-plane.ts";
import { kubectlFor, type Kubectl } from "./kubectl.ts";
import { freePorts } from "./port.ts";
import { supervise, type Supervisor } from "./supervisor.ts";

const run = promisify(execFile);

/** What a test may want of a cluster beyond the usual. */
interface ClusterOptions {
  /** Have the API server write down each request (level Metadata, JSON lines) at `auditLog`. */
  readonly audit?: boolean;
  /** Further flags of single components; where a flag is given twice, the later one holds. */
  readonly flags?: Partial<Record<Component, readonly string[]>>;
  /** Stages (YAML) that KWOK plays instead of its own, for pods that are slow to become Ready. */
  readonly stages?: string;
}

/** The processes a cluster is made of. */
type Component = "etcd" | "kube-apiserver" | "kube-controller-manager" | "kube-scheduler" | "kwok";

/** What a node has and is called by. */
interface NodeOptions {
  readonly cpu?: string;
  readonly memory?: string;
  readonly pods?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A Kubernetes cluster: a real control plane whose nodes and pods are KWOK's, so API objects without containers. */
export interface Cluster extends AsyncDisposable {
  /** The path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** Like `https://127.0.0.1:20123`. */
  readonly server: string;
  readonly kubectl: Kubectl;
  /** Where the audit log is written, when it was asked for. */
  readonly auditLog: string | undefined;
  /** The processes; empty for a cluster that is not ours. */
  readonly pids: Readonly<Partial<Record<Component, number>>>;
  /** Creates a node, or changes what it has, and returns when it is Ready. */
  readonly applyNode: (name: string, options?: NodeOptions) => Promise<void>;
  /** Creates a namespace with a name nobody has, ready to take pods, and returns the name. */
  readonly namespace: () => Promise<string>;
  /** Kills a component of a cluster of one's own at once; `revive` starts it again with what it had on disk. */
  readonly kill: (component: Component) => Promise<void>;
  /** Returns when it is ready. */
  readonly revive: (component: Component) => Promise<void>;
  /** Ends the control plane and removes all it has written. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts a cluster of its own, empty: no node, no namespace but Kubernetes' own. Takes about five seconds and 0.9 GB; see
 * `sharedCluster()` for one that many test files share.
 *
 * When `SLUICE_TEST_KUBECONFIG` is set, it is the cluster of that kubeconfig instead: the options are not looked at, there
 * is no audit log, and `stop()` does nothing.
 */
export async function cluster(options: ClusterOptions = {}): Promise<Cluster> {
  const testworld = await testworldBinary();
  const present = process.env["SLUICE_TEST_KUBECONFIG"];
  if (present !== undefined && present !== "") return presentCluster(testworld, present);

  const supervisor = await supervise();
  try {
    const layout = await layOut(testworld, supervisor.directory, options);
    const plane = await start(supervisor, layout, options.flags ?? {});
    const kubeconfig = join(layout.pki, "kubeconfig");
    const kubectl = kubectlFor({ testworld, kubeconfig, cache: join(supervisor.directory, "kubectl") });
    const auditLog = layout.audit ? layout.auditLog : undefined;
    return withWays(
      { kubeconfig, server: layout.server, auditLog, ...plane, stop: supervisor.stop },
      kubectl,
    );
  } catch (thrown) {
    await supervisor.stop();
    throw thrown;
  }
}

/** A cluster someone else started and will stop. */
export type Reached = Pick<Cluster, "kubeconfig" | "server" | "auditLog" | "pids">;

/** What one can do with a cluster that runs already. */
export function reach(reached: Reached, testworld: string): Cluster {
  const kubectl = kubectlFor({ testworld, kubeconfig: reached.kubeconfig });
  const notOurs = () => Promise.reject(new Error("this cluster is somebody else's"));
  return withWays({ ...reached, kill: notOurs, revive: notOurs, stop: async () => undefined }, kubectl);
}

async function presentCluster(testworld: string, kubeconfig: string): Promise<Cluster> {
  const ask = kubectlFor({ testworld, kubeconfig });
  const server = await ask([
    "config",
    "view",
    "--minify",
    "--output",
    "jsonpath={.clusters[0].cluster.server}",
  ]);
  return reach({ kubeconfig, server, auditLog: undefined, pids: {} }, testworld);
}

async function layOut(testworld: string, directory: string, options: ClusterOptions): Promise<Layout> {
  const [secure = 0, etcd = 0, etcdPeer = 0, controllerManager = 0, scheduler = 0, kwok = 0] =
    await freePorts(6);
  const ports = { secure, etcd, etcdPeer, controllerManager, scheduler, kwok };
  const at = (name: string): string => join(directory, name);
  const server = `https://127.0.0.1:${secure}`;
  const [{ stdout: stages }] = await Promise.all([
    options.stages === undefined ? run(testworld, ["kwok-stages"]) : { stdout: options.stages },
    run(testworld, ["pki", at("pki"), server]),
  ]);
  const policy = {
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived"],
    rules: [{ level: "Metadata" }],
  };
  await Promise.all([
    writeFile(at("stages.yaml"), stages),
    writeFile(at("audit-policy.yaml"), JSON.stringify(policy)),
  ]);
  return {
    ports,
    server,
    pki: at("pki"),
    etcdData: at("etcd"),
    stages: at("stages.yaml"),
    auditPolicy: at("audit-policy.yaml"),
    auditLog: at("audit.log"),
    audit: options.audit ?? false,
  };
}

async function start(
  supervisor: Supervisor,
  layout: Layout,
  more: NonNullable<ClusterOptions["flags"]>,
): Promise<Pick<Cluster, "pids" | "kill" | "revive">> {
  const { server, ports } = layout;
  const ca = await readFile(join(layout.pki, "ca.crt"), "utf8");
  const flags = flagsOf(layout);
  const pids: Partial<Record<Component, number>> = {};
  const health: Partial<Record<Component, string>> = {
    "kube-apiserver": `${server}/readyz`,
    "kube-controller-manager": `https://127.0.0.1:${ports.controllerManager}/healthz`,
    "kube-scheduler": `https://127.0.0.1:${ports.scheduler}/healthz`,
    kwok: `http://127.0.0.1:${ports.kwok}/healthz`,
  };
  const launch = async (component: Component): Promise<void> => {
    pids[component] = (
      await supervisor.start(component, [...flags[component], ...(more[component] ?? [])])
    ).pid;
  };
  const healthy = async (component: Component): Promise<void> => {
    const url = health[component];
    if (url !== undefined) await supervisor.ready(component, url, url.startsWith("https") ? { ca } : {});
  };
  const revive = async (component: Component): Promise<void> => {
    await launch(component);
    await healthy(component);
  };
  await launch("etcd");
  await revive("kube-apiserver");
  const others = ["kube-controller-manager", "kube-scheduler", "kwok"] as const;
  for (const component of others) await launch(component);
  await Promise.all(others.map(healthy));
  return { pids, kill: supervisor.kill, revive };
}

function withWays(what: Reached & Pick<Cluster, "stop" | "kill" | "revive">, kubectl: Kubectl): Cluster {
  return {
    ...what,
    kubectl,
    applyNode: async (name, { cpu = "64", memory = "256Gi", pods = "500", labels = {} } = {}) => {
      const has = { cpu, memory, pods };
      const metadata = { name, labels: { type: "kwok", "kubernetes.io/hostname": name, ...labels } };
      const node = { apiVersion: "v1", kind: "Node", metadata, status: { allocatable: has, capacity: has } };
      await kubectl(["apply", "--filename", "-"], { input: JSON.stringify(node) });
      await kubectl([
        "wait",
        '--for=jsonpath={.status.conditions[?(@.type=="Ready")].status}=True',
        `node/${name}`,
        "--timeout=30s",
      ]);
    },
    namespace: async () => {
      const name = `t-${randomBytes(4).toString("hex")}`;
      await kubectl(["create", "namespace", name]);
      // Until the controller manager has made it, the namespace takes no pod.
      await kubectl(["wait", "--for=create", "serviceaccount/default", "--namespace", name, "--timeout=30s"]);
      return name;
    },
    [Symbol.asyncDispose]: what.stop,
  };
}
