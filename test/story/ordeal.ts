import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { expect } from "vitest";
import { gateway, type Asked, type Gateway, type Script } from "../kube/gateway.ts";
import { testworldBinary } from "../world/build.ts";
import { conditions, replicas, ROOT, stage, type Stage } from "./bed.ts";
import { checkHistory } from "./history.ts";
import { eventually, operator, type OperatorProcess } from "./operator.ts";
import { policyText } from "./policy.ts";

const run = promisify(execFile);

interface Config {
  readonly clusters: readonly { readonly cluster: { readonly "certificate-authority-data": string } }[];
}

/** What is done with a request to the metrics service instead of telling the rates. */
export type Lie = (response: ServerResponse) => void;

/** An answer as Prometheus gives it: a number for each node. */
export const vector = (values: Readonly<Record<string, string>>): string =>
  JSON.stringify({
    status: "success",
    data: {
      resultType: "vector",
      result: Object.entries(values).map(([operator, value]) => ({
        metric: { operator },
        value: [Date.now() / 1_000, value],
      })),
    },
  });

export interface OrdealOptions {
  readonly nodes: readonly string[];
  /** Where the operator keeps what it knows; a folder of the stage by default. */
  readonly state?: string;
  /** Flags of the operator besides its usual ones. */
  readonly flags?: readonly string[];
  /** Speaks to the API server without the gateway, over HTTP/2; what was asked is not seen then. */
  readonly isDirect?: boolean;
}

/**
 * An operator that scales one policy's nodes by their load, and stands behind a gateway to a real API server, so that
 * everything around it can go wrong. At 100 records a second an instance, a node that is to have n gets a load of n hundred.
 */
export class Ordeal implements AsyncDisposable {
  readonly set: Stage;
  readonly team: string;
  readonly way: Gateway;
  readonly artifact: string;
  readonly #options: OrdealOptions;
  readonly #rates = new Map<string, number>();
  readonly #metrics = createServer((_request, response) => this.#tell(response));
  #kubeconfig = "";
  #running: OperatorProcess | undefined;
  /** What the metrics service answers instead of rates. */
  lie: Lie | undefined;

  private constructor(set: Stage, team: string, way: Gateway, artifact: string, options: OrdealOptions) {
    this.set = set;
    this.team = team;
    this.way = way;
    this.artifact = artifact;
    this.#options = options;
  }

  /** Sets the stage, starts the operator, and returns when every node has one instance and the policy is Ready. */
  static async begin(options: OrdealOptions): Promise<Ordeal> {
    const set = await stage();
    const [way, kubeconfig] = await gatewayTo(set);
    const team = await set.tenant(options.nodes);
    const artifact = await set.push(join(ROOT, "build/algorithms/threshold.wasm"), "threshold:1.0.0");
    const ordeal = new Ordeal(set, team, way, artifact, options);
    ordeal.#kubeconfig = options.isDirect === true ? set.kubeconfig : kubeconfig;
    await new Promise<void>((resolve) => ordeal.#metrics.listen(0, "127.0.0.1", resolve));
    for (const node of options.nodes) ordeal.#rates.set(node, 100);
    await ordeal.start();
    await ordeal.policy();
    await ordeal.settled();
    return ordeal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.[Symbol.asyncDispose]();
    await this.way[Symbol.asyncDispose]();
    await this.set[Symbol.asyncDispose]();
    this.#metrics.close();
  }

  get running(): OperatorProcess {
    if (this.#running === undefined) throw new Error("no operator runs");
    return this.#running;
  }

  /** Starts an operator with what the one before it knew. */
  async start(): Promise<OperatorProcess> {
    const { set, team } = this;
    const port = (this.#metrics.address() as AddressInfo).port;
    this.#running = await operator({
      kubeconfig: this.#kubeconfig,
      state: this.#options.state ?? join(set.folder, "state"),
      flags: [
        ...["--insecure-registry", set.registry.host],
        ...["--service-address", `${team}/prometheus:9090=http://127.0.0.1:${port}`],
        ...(this.#options.flags ?? []),
      ],
    });
    return this.#running;
  }

  /** Lets a node need so many instances; without a name, every node. */
  want(count: number, ...nodes: readonly string[]): void {
    for (const node of nodes.length === 0 ? this.#options.nodes : nodes) this.#rates.set(node, count * 100);
  }

  /** How many instances each node needs now. */
  get wanted(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#rates].map(([node, rate]) => [node, Math.ceil(rate / 100)]));
  }

  async policy(rest: object = {}): Promise<void> {
    const { set, team, artifact } = this;
    const config = { targetPerInstance: 100, tolerance: 0 };
    const usual = { name: "clicks", nodes: this.#options.nodes, artifact, config };
    const input = policyText({ ...usual, ...rest });
    await set.cluster.kubectl(["apply", "--namespace", team, "--filename", "-"], { input });
  }

  /** What an administrator does in the policy's namespace. */
  kubectl(...words: readonly string[]): Promise<string> {
    return this.set.cluster.kubectl([...words, "--namespace", this.team]);
  }

  /** How many are ready, and how many are asked for, as `1/2`. */
  replicas(): Promise<Record<string, string>> {
    return replicas(this.set, this.team);
  }

  /** How many are asked for. */
  async asked(): Promise<Record<string, string>> {
    const all = Object.entries(await this.replicas());
    return Object.fromEntries(all.map(([node, both]) => [node, both.split("/")[1] ?? ""]));
  }

  /** Waits until of every node as much is asked as its load needs, and the policy is Ready. Pods are not the operator's. */
  async settled(seconds = 60): Promise<void> {
    const right = Object.fromEntries(Object.entries(this.wanted).map(([node, n]) => [node, `/${n}`]));
    await eventually(
      async () =>
        [await this.replicas(), (await conditions(this.set, this.team, "clicks"))["Ready"]?.status] as const,
      ([seen, ready]) =>
        ready === "True" &&
        Object.entries(right).every(([node, number]) => seen[node]?.endsWith(number) === true),
      seconds * 1_000,
    );
  }

  /** Waits until a condition of the policy has this reason, and returns it. */
  condition(type: string, reason: string) {
    return eventually(
      async () => (await conditions(this.set, this.team, "clicks"))[type],
      (seen) => seen?.reason === reason,
      60_000,
    );
  }

  /** Every number that was sent to a node's scale since `from` requests, whatever became of it. */
  sent(from = 0): { readonly node: string; readonly replicas: number }[] {
    return this.way.asked.slice(from).flatMap(({ method, isScale, url, body }) => {
      const [, node = ""] = /\/deployments\/([^/]+)\/scale/.exec(url) ?? [];
      if (method !== "PUT" || !isScale) return [];
      return [{ node, replicas: (JSON.parse(body) as { spec: { replicas: number } }).spec.replicas }];
    });
  }

  /** Lets everything be well again, and holds everything that was ever written against the invariants. */
  async recovered(): Promise<void> {
    this.way.calm();
    this.lie = undefined;
    await this.settled();
    checkHistory(this.way.asked, this.team);
  }

  #tell(response: ServerResponse): void {
    response.setHeader("content-type", "application/json");
    const rates = Object.fromEntries([...this.#rates].map(([node, rate]) => [node, String(rate)]));
    if (this.lie === undefined) response.end(vector(rates));
    else this.lie(response);
  }
}

/** While this goes on, the load changes: nothing may be scaled; when it is over, what is wanted is there. */
export async function holds(
  ordeal: Ordeal,
  script: (asked: Asked) => Script,
  wanted: number,
  ms = 2_500,
): Promise<void> {
  const before = await ordeal.asked();
  ordeal.way.play(script);
  // A pass that was under way may have read everything before.
  await pause(1_200);
  ordeal.want(wanted);
  await pause(ms);
  expect(await ordeal.asked()).toEqual(before);
  ordeal.way.calm();
  await ordeal.settled();
}

/** However this goes on, what is wanted is there in the end, and no other number was written. */
export async function finds(
  ordeal: Ordeal,
  script: (asked: Asked) => Script,
  wanted: number,
  seconds = 60,
): Promise<void> {
  const from = ordeal.way.asked.length;
  ordeal.way.play(script);
  ordeal.want(wanted);
  await ordeal.settled(seconds);
  expect(new Set(ordeal.sent(from).map((one) => one.replicas))).toEqual(new Set([wanted]));
}

/** A gateway before the stage's API server, and a kubeconfig with the operator's rights that leads there. */
async function gatewayTo({ cluster, folder, kubeconfig }: Stage): Promise<[Gateway, string]> {
  const keys = join(folder, "gateway");
  await run(await testworldBinary(), ["pki", keys, "https://127.0.0.1"]);
  const [key = "", cert = "", own = ""] = await Promise.all(
    ["apiserver.key", "apiserver.crt", "ca.crt"].map((name) => readFile(join(keys, name), "utf8")),
  );
  const config = JSON.parse(await readFile(kubeconfig, "utf8")) as Config;
  const [ca64 = ""] = config.clusters.map((one) => one.cluster["certificate-authority-data"]);
  const ca = Buffer.from(ca64, "base64").toString("utf8");
  const way = await gateway(cluster.server, { key, cert, ca });
  const at = { server: way.url, "certificate-authority-data": Buffer.from(own).toString("base64") };
  const through = { ...config, clusters: [{ ...config.clusters[0], cluster: at }] };
  const file = join(folder, "gateway.kubeconfig");
  await writeFile(file, JSON.stringify(through), { mode: 0o600 });
  return [way, file];
}

export const reads = ({ method, isScale }: Asked): boolean => method === "GET" && isScale;
export const writes = ({ method, isScale }: Asked): boolean => method === "PUT" && isScale;
export const watches = ({ isWatch }: Asked): boolean => isWatch;

/** Does this to the first requests that count, and nothing to the others. */
export function once(counts: (asked: Asked) => boolean, script: Script, times = 1): (asked: Asked) => Script {
  let left = times;
  return (asked) => (counts(asked) && left-- > 0 ? script : undefined);
}
