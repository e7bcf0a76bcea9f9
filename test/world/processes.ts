import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { supervise, type Supervisor } from "./supervisor.ts";

/** A call of the API server as an administrator, such as the one of a `bed()`. */
type Admin = (method: string, path: string, body?: unknown) => Promise<{ status: number; body: unknown }>;

/** A program and what it is told. */
interface Command {
  readonly program: string;
  readonly arguments: readonly string[];
}

/** A pod of the node, and the process behind it. */
export interface PodProcess {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly pid: number;
  /** What it has written so far, on both streams. */
  readonly log: () => Promise<string>;
}

interface Options {
  /** What stands behind a pod. */
  readonly command: (pod: Pick<PodProcess, "namespace" | "pod" | "uid">) => Command | Promise<Command>;
  /** Whether a process serves; asked a few times a second, until it does. */
  readonly isReady: (process: PodProcess) => Promise<boolean>;
  /** How long a process is left to end by itself after SIGTERM; 0 kills it at once. Default 2 s. */
  readonly graceMs?: number;
}

/** A node whose pods are processes of this machine. */
export interface ProcessNode extends AsyncDisposable {
  readonly name: string;
  /** For `spec` of a pod: binds it to this node, which takes no others. */
  readonly placement: object;
  /** The processes that live, in the order in which they were started. */
  readonly processes: () => readonly PodProcess[];
  /** Holds new processes back (true): pods are bound and do not become Ready. */
  hold(held: boolean): void;
}

const POLL_MS = 200;
// A Lease of 40 s, as a kubelet's.
const LEASE_SECONDS = 40;
const RENEW_MS = 10_000;

/**
 * Makes a node that KWOK leaves alone, and stands in for its kubelet: one process for each pod that is bound to it, Ready
 * as soon as the process says so. One that ends by itself is started again, and counted as a restart. When a pod is
 * deleted its process ends (SIGTERM, then SIGKILL), and only then the pod goes. All end with the test's own process.
 */
export async function processNode(admin: Admin, options: Options): Promise<ProcessNode> {
  const name = `processes-${randomBytes(4).toString("hex")}`;
  const supervisor = await supervise();
  const kubelet = new Kubelet({ admin, options, name, supervisor });
  try {
    await register(admin, name);
  } catch (thrown) {
    await supervisor.stop();
    throw thrown;
  }
  const work = kubelet.run();
  return {
    name,
    placement: {
      nodeSelector: { "kubernetes.io/hostname": name },
      tolerations: [{ key: "sluice.test/processes", operator: "Exists" }],
    },
    processes: () => kubelet.processes(),
    hold: (held) => void (kubelet.isHeld = held),
    async [Symbol.asyncDispose]() {
      kubelet.isOver = true;
      await work;
      await supervisor.stop();
      await admin("DELETE", `/api/v1/nodes/${name}`);
      await admin("DELETE", `${LEASES}/${name}`);
    },
  };
}

const LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
const now = () => new Date().toISOString();
const leaseSpec = (holderIdentity: string) => ({
  holderIdentity,
  leaseDurationSeconds: LEASE_SECONDS,
  renewTime: now().replace("Z", "000Z"),
});

async function register(admin: Admin, name: string): Promise<void> {
  const has = { cpu: "64", memory: "256Gi", pods: "100" };
  const labels = { type: "processes", "kubernetes.io/hostname": name };
  const taints = [{ key: "sluice.test/processes", effect: "NoSchedule" }];
  const conditions = [condition("Ready", true)];
  const node = { metadata: { name, labels }, spec: { taints } };
  await expect(admin("POST", "/api/v1/nodes", node), 201);
  const status = { status: { capacity: has, allocatable: has, conditions } };
  await expect(admin("PATCH", `/api/v1/nodes/${name}/status`, status), 200);
  await expect(admin("POST", LEASES, { metadata: { name }, spec: leaseSpec(name) }), 201);
}

const condition = (type: string, isTrue: boolean) => ({
  ...{ type, status: isTrue ? "True" : "False", lastTransitionTime: now() },
  // The node controller looks at the Lease; of the node's own word it wants a time.
  ...{ lastHeartbeatTime: now(), reason: "Processes", message: "" },
});

async function expect(answer: ReturnType<Admin>, status: number): Promise<unknown> {
  const got = await answer;
  if (got.status !== status) throw new Error(`${got.status}: ${JSON.stringify(got.body).slice(0, 500)}`);
  return got.body;
}

/** What of a pod is looked at. */
interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly containers: readonly { readonly name: string; readonly image: string }[] };
}

interface Running extends PodProcess {
  readonly name: string;
  restarts: number;
  isReady: boolean;
}

interface Setting {
  readonly admin: Admin;
  readonly options: Options;
  readonly name: string;
  readonly supervisor: Supervisor;
}

class Kubelet {
  isOver = false;
  isHeld = false;
  readonly #setting: Setting;
  readonly #running = new Map<string, Running>();
  /** Pods that are worked on now, by uid: one thing at a time. */
  readonly #busy = new Map<string, Promise<void>>();
  #renewedMs = performance.now();
  #started = 0;

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  processes = (): readonly PodProcess[] => [...this.#running.values()].filter(isAlive);

  async run(): Promise<void> {
    while (!this.isOver) {
      // An API server that is away for a moment is asked again.
      await this.#sync().catch(() => undefined);
      await sleep(POLL_MS);
    }
    await Promise.all(this.#busy.values());
  }

  async #sync(): Promise<void> {
    const { admin, name } = this.#setting;
    if (performance.now() - this.#renewedMs > RENEW_MS) {
      await expect(admin("PATCH", `${LEASES}/${name}`, { spec: leaseSpec(name) }), 200);
      this.#renewedMs = performance.now();
    }
    const path = `/api/v1/pods?fieldSelector=${encodeURIComponent(`spec.nodeName=${name}`)}`;
    const { items: pods } = (await expect(admin("GET", path), 200)) as { items: Pod[] };
    const there = new Set(pods.map(({ metadata }) => metadata.uid));
    // A pod that was deleted without grace leaves its process behind.
    for (const [uid, running] of this.#running)
      if (!there.has(uid)) this.#once(uid, () => this.#end(running));
    for (const pod of pods) this.#once(pod.metadata.uid, () => this.#tend(pod));
  }

  #once(uid: string, act: () => Promise<void>): void {
    if (this.#busy.has(uid)) return;
    const work = act()
      .catch(() => undefined)
      .finally(() => this.#busy.delete(uid));
    this.#busy.set(uid, work);
  }

  async #tend(pod: Pod): Promise<void> {
    const { uid, deletionTimestamp } = pod.metadata;
    const running = this.#running.get(uid);
    if (deletionTimestamp !== undefined) {
      if (running !== undefined) await this.#end(running);
      // Nobody else lets it go, so no other can have its name by now.
      await this.#setting.admin("DELETE", `${pathOf(pod)}?gracePeriodSeconds=0`);
    } else if (running === undefined) {
      if (!this.isHeld) await this.#start(pod, 0);
    } else if (!isAlive(running)) {
      await this.#start(pod, running.restarts + 1);
    } else if (!running.isReady && (await this.#setting.options.isReady(running))) {
      await this.#tell(pod, { ...running, isReady: true });
      running.isReady = true;
    }
  }

  async #start(pod: Pod, restarts: number): Promise<void> {
    const { supervisor, options } = this.#setting;
    const { namespace, name, uid } = pod.metadata;
    const about = { namespace, pod: name, uid };
    const command = await options.command(about);
    const own = `${name}-${(this.#started += 1)}`;
    const { pid } = await supervisor.start(own, command.arguments, command.program);
    const log = () => readFile(join(supervisor.directory, "logs", `${own}.log`), "utf8");
    const running = { ...about, name: own, pid, log, restarts, isReady: false };
    this.#running.set(uid, running);
    await this.#tell(pod, running);
  }

  async #end(running: Running): Promise<void> {
    const { supervisor, options } = this.#setting;
    const { graceMs = 2_000 } = options;
    if (graceMs > 0 && isAlive(running)) {
      process.kill(running.pid, "SIGTERM");
      for (const endMs = performance.now() + graceMs; isAlive(running) && performance.now() < endMs;)
        await sleep(20);
    }
    await supervisor.kill(running.name);
    this.#running.delete(running.uid);
  }

  async #tell(pod: Pod, { isReady, restarts }: Running): Promise<void> {
    const state = { running: { startedAt: now() } };
    const status = {
      phase: "Running",
      ...{ hostIP: "127.0.0.1", podIP: "127.0.0.1", podIPs: [{ ip: "127.0.0.1" }], startTime: now() },
      conditions: ["Initialized", "PodScheduled", "ContainersReady", "Ready"].map((type) =>
        condition(type, isReady || type === "Initialized" || type === "PodScheduled"),
      ),
      containerStatuses: pod.spec.containers.map(({ name, image }) => ({
        ...{ name, image, imageID: image, ready: isReady, started: true, restartCount: restarts, state },
      })),
    };
    await expect(this.#setting.admin("PATCH", `${pathOf(pod)}/status`, { status }), 200);
  }
}

const pathOf = ({ metadata: { namespace, name } }: Pod) => `/api/v1/namespaces/${namespace}/pods/${name}`;

function isAlive({ pid }: PodProcess): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
