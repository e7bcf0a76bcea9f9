import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Iteration } from "../../host/knowledge/index.ts";
import { bed, deployment, expectStatus, type Bed } from "../kube/bed.ts";
import { processNode, type ProcessNode } from "../world/index.ts";
import type { KafkaBroker } from "../world/kafka.ts";
import { push, ROOT, stage, type Stage } from "./bed.ts";
import { known } from "./known.ts";
import { operator, type OperatorProcess } from "./operator.ts";
import type { Waiting } from "./report.ts";

/** An application of Kafka Streams: an object of the team's namespace whose pods are processes. */
export interface Instances {
  readonly name: string;
  readonly kind: "Deployment" | "StatefulSet";
  /** The class of test/world/kafka and its words, for a pod; it may leave metrics in the file. */
  readonly words: (pod: string, metrics: string) => readonly string[];
}

/** A stage with a broker, an operator that reaches it as `kafka:9092`, and a node for processes of Java. */
export interface StreamsStage extends AsyncDisposable {
  readonly set: Stage;
  readonly team: string;
  /** Starts an application with one instance. */
  readonly start: (app: Instances) => Promise<void>;
  readonly apply: (manifest: string) => Promise<unknown>;
  readonly push: (algorithm: string) => Promise<string>;
  /** What the operator knows of a policy's passes, oldest first; all of them, or so many of the newest. */
  readonly passes: (policy: string, limit?: number) => Promise<Iteration[]>;
}

/** Sets it up around a broker, which it does not stop. */
export async function streamsStage(broker: KafkaBroker): Promise<StreamsStage> {
  const apps: Instances[] = [];
  const nodes: ProcessNode[] = [];
  const metricsOf = (pod: string) => join(broker.directory, `${pod}.prom`);
  const scraped = await collector(() =>
    nodes.flatMap((node) => node.processes()).map(({ pod }) => metricsOf(pod)),
  );
  const set = await stage(undefined, [scraped.target]);
  const ground = await bed(set.cluster.kubeconfig);
  const team = await set.tenant([]);
  await expectStatus(
    ground.admin("POST", `/api/v1/namespaces/${team}/services`, {
      metadata: { name: "kafka" },
      spec: { selector: { app: "kafka" }, ports: [{ port: 9092 }] },
    }),
    201,
  );
  const node = await processNode(ground.admin, {
    command({ pod }) {
      const app = apps.find(({ name }) => pod.startsWith(`${name}-`));
      if (app === undefined) throw new Error(`no application has the pod ${pod}`);
      const [main = "", ...words] = app.words(pod, metricsOf(pod));
      return broker.java(main, words);
    },
    isReady: async ({ log }) => (await log()).includes("state running"),
    graceMs: 4_000,
  });
  nodes.push(node);
  const state = join(set.folder, "state");
  const at = `${team}/kafka:9092=http://127.0.0.1:${broker.ports.plain}`;
  const flags = [...set.flags([team]), "--service-address", at];
  const running = await operator({ kubeconfig: set.kubeconfig, state, flags });
  const knows = await known(state);
  return {
    ...{ set, team },
    async start(app) {
      apps.push(app);
      await startObject(ground, team, app, node.placement);
    },
    apply: (input) => set.cluster.kubectl(["apply", "--namespace", team, "--filename", "-"], { input }),
    push: (name) =>
      push(
        join(ROOT, `build/algorithms/${name}.wasm`),
        `oci://${set.registry.host}/algorithms/${name}:1.0.0`,
        set.registry,
      ),
    passes: (policy, limit) => knows.passes(team, policy, limit),
    async [Symbol.asyncDispose]() {
      await knows[Symbol.asyncDispose]();
      await end({ running, ground, team, apps, node, set, scraped });
    },
  };
}

interface Parts {
  readonly running: OperatorProcess;
  readonly ground: Bed;
  readonly team: string;
  readonly apps: readonly Instances[];
  readonly node: ProcessNode;
  readonly set: Stage;
  readonly scraped: AsyncDisposable;
}

async function end({ running, ground, team, apps, node, set, scraped }: Parts): Promise<void> {
  await running[Symbol.asyncDispose]();
  for (const app of apps) await ground.admin("DELETE", `${pathOf(team, app)}/${app.name}`);
  await node[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
  await set[Symbol.asyncDispose]();
  await scraped[Symbol.asyncDispose]();
}

const pathOf = (team: string, { kind }: Instances) =>
  `/apis/apps/v1/namespaces/${team}/${kind.toLowerCase()}s`;

async function startObject(ground: Bed, team: string, app: Instances, placement: object): Promise<void> {
  const { spec, ...rest } = deployment(app.name, 1);
  const template = { ...spec.template, spec: { ...spec.template.spec, ...placement } };
  const own = app.kind === "Deployment" ? {} : { serviceName: app.name, podManagementPolicy: "Parallel" };
  const object = { ...rest, kind: app.kind, apiVersion: "apps/v1", spec: { ...spec, template, ...own } };
  await expectStatus(ground.admin("POST", pathOf(team, app), object), 201);
}

/** Shows Prometheus what files say, those that are there: the textfile collector of a node. */
async function collector(
  files: () => readonly string[],
): Promise<AsyncDisposable & { readonly target: string }> {
  const server = createServer((_, response) => {
    const texts = files().map((file) => readFile(file, "utf8").catch(() => ""));
    void Promise.all(texts).then((all) =>
      response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8").end(all.join("")),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    target: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What waited before all sub-topologies of these nodes, or all of them, by what each pass found. */
export function waitingIn(passes: readonly Iteration[], only?: string): Waiting[] {
  return passes.flatMap(({ at, topology }) => {
    const nodes = (topology?.nodes ?? []).filter(({ name }) => only === undefined || name === only);
    const lags = nodes.flatMap(({ attributes }) =>
      Object.entries(attributes).flatMap(([name, value]) =>
        /^subtopology\..*\.lag$/.test(name) ? [value] : [],
      ),
    );
    if (lags.length === 0) return [];
    return [{ atMs: Date.parse(at), records: lags.reduce((sum, lag) => sum + Number(lag), 0) }];
  });
}
