import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { Fault } from "../../host/fault/index.ts";
import { connect, type Cluster, type ConnectOptions, type Resource } from "../../host/kube/index.ts";
import { wire, type Wire } from "./wire.ts";

/** What a call by hand got back. */
export interface Answer {
  readonly status: number;
  readonly body: Json;
}
export type Json = { readonly [field: string]: Json } & { readonly items?: readonly Json[] } & JsonValue;
type JsonValue = object | string | number | boolean | null;

/** A real API server to try things on, and hands that do not use our client. */
export interface Bed extends AsyncDisposable {
  readonly kubeconfig: string;
  /** A call as the administrator, byte for byte as given. */
  admin(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** A namespace that no other test has. */
  namespace(): Promise<string>;
  /** A connection to the cluster; closed with the bed. */
  connect(options?: Partial<ConnectOptions>): Cluster;
  /** A connection through a proxy of its own. */
  wired(options?: Partial<ConnectOptions>): Promise<{ cluster: Cluster; line: Wire }>;
  /** A kubeconfig like the administrator's with some things changed. */
  changed(change: (config: KubeconfigFile) => void): Promise<string>;
}

interface KubeconfigFile {
  clusters: [
    {
      cluster: { server: string; "certificate-authority-data": string; "insecure-skip-tls-verify"?: boolean };
    },
  ];
  users: [{ user: Record<string, unknown> }];
}

/** Spreads over a cluster that runs. */
export async function bed(kubeconfig: string): Promise<Bed> {
  const config = parse(await readFile(kubeconfig, "utf8")) as KubeconfigFile;
  const admin = administrator(config);
  const directory = await mkdtemp(join(tmpdir(), "sluice-kube-"));
  const port = Number(new URL(config.clusters[0].cluster.server).port);
  const ends: (() => unknown)[] = [];
  let made = 0;

  const opened = (options: ConnectOptions) => {
    const cluster = connect(options);
    ends.push(() => cluster.close());
    return cluster;
  };
  const changed: Bed["changed"] = async (change) => {
    const copy = structuredClone(config);
    change(copy);
    const file = join(directory, `config-${(made += 1)}`);
    await writeFile(file, stringify(copy));
    return file;
  };
  return {
    kubeconfig,
    admin,
    changed,
    namespace: async () => {
      const name = `t-${process.pid}-${Date.now().toString(36)}-${(made += 1)}`;
      await expectStatus(admin("POST", "/api/v1/namespaces", { metadata: { name } }), 201);
      ends.push(() => admin("DELETE", `/api/v1/namespaces/${name}`));
      return name;
    },
    connect: (options = {}) => opened({ kubeconfig, ...options }),
    wired: async (options = {}) => {
      const line = await wire(port);
      ends.push(() => line[Symbol.asyncDispose]());
      const file = await changed(
        ({ clusters }) => (clusters[0].cluster.server = `https://127.0.0.1:${line.port}`),
      );
      return { cluster: opened({ ...options, kubeconfig: file }), line };
    },
    async [Symbol.asyncDispose]() {
      for (const end of ends.toReversed()) await end();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Calls with the administrator's certificate, made without our client. */
function administrator({ clusters, users }: KubeconfigFile): Bed["admin"] {
  const { server, "certificate-authority-data": ca } = clusters[0].cluster;
  const user = users[0].user as Record<string, string>;
  const tls = {
    ca: fromBase64(ca),
    cert: fromBase64(user["client-certificate-data"]),
    key: fromBase64(user["client-key-data"]),
  };
  return (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
      const call = request(new URL(path, server), {
        ...tls,
        method,
        headers: { "content-type": type, ...headers },
      });
      call.on("error", reject);
      call.on("response", (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: answer.statusCode ?? 0,
            body: (text.startsWith("{") ? JSON.parse(text) : text) as Json,
          });
        });
      });
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
}

const fromBase64 = (text = "") => Buffer.from(text, "base64");

/** The answer's body, if its status is the expected one. */
export async function expectStatus(answer: Promise<Answer>, status: number): Promise<Json> {
  const got = await answer;
  if (got.status !== status)
    throw new Error(`${got.status} instead of ${status}: ${JSON.stringify(got.body)}`);
  return got.body;
}

/** The fault that something fails with. */
export const faultOf = (act: Promise<unknown>): Promise<Fault> =>
  act.then(
    () => Promise.reject(new Error("it did not fail")),
    (thrown: unknown) => thrown as Fault,
  );

/** Waits until what is asked for is so; throws after ten seconds. */
export async function until(so: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const endMs = performance.now() + 10_000; performance.now() < endMs;) {
    if (await so()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`not within ten seconds: ${what}`);
}

const core = (kind: string, plural: string, namespaced = true): Resource => ({
  apiVersion: "v1",
  kind,
  plural,
  namespaced,
  hasScale: false,
});
export const CONFIG_MAPS = core("ConfigMap", "configmaps");
export const NAMESPACES = core("Namespace", "namespaces", false);
export const DEPLOYMENTS: Resource = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  plural: "deployments",
  namespaced: true,
  hasScale: true,
};
export const WIDGETS: Resource = {
  apiVersion: "test.sluice.dev/v1",
  kind: "Widget",
  plural: "widgets",
  namespaced: true,
  hasScale: true,
};

/** A custom kind with a scale and a status. */
export async function defineWidgets({ admin }: Bed): Promise<void> {
  const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const definition = {
    metadata: { name: "widgets.test.sluice.dev" },
    spec: {
      group: "test.sluice.dev",
      scope: "Namespaced",
      names: { kind: "Widget", plural: "widgets", singular: "widget", listKind: "WidgetList" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", properties: { spec: open, status: open } } },
          subresources: {
            status: {},
            scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
          },
        },
      ],
    },
  };
  const { status } = await admin(
    "POST",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    definition,
  );
  if (status !== 201 && status !== 409) throw new Error(`the kind Widget was not defined: ${status}`);
  await until(
    async () => (await admin("GET", "/apis/test.sluice.dev/v1/widgets")).status === 200,
    "the kind Widget is served",
  );
}

/** A Deployment of one container, for a simulated node or none. */
export const deployment = (name: string, replicas: number) => ({
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "main", image: "localhost/none" }] },
    },
  },
});

/** Lets a service account do things in its namespace, and nothing else. */
export async function allow(
  { admin }: Bed,
  namespace: string,
  account: string,
  rules: readonly { apiGroups: string[]; resources: string[]; verbs: string[] }[],
): Promise<void> {
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  await expectStatus(
    admin("POST", `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: account } }),
    201,
  );
  await expectStatus(admin("POST", `${rbac}/roles`, { metadata: { name: account }, rules }), 201);
  const binding = {
    metadata: { name: account },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: account },
    subjects: [{ kind: "ServiceAccount", name: account, namespace }],
  };
  await expectStatus(admin("POST", `${rbac}/rolebindings`, binding), 201);
}

/** What a policy's account needs: to read the targets, and to read and write their scale. */
export const SCALER_RULES = [
  {
    apiGroups: ["apps", "test.sluice.dev"],
    resources: ["deployments/scale", "statefulsets/scale", "widgets/scale"],
    verbs: ["get", "update"],
  },
  { apiGroups: ["apps"], resources: ["deployments", "statefulsets"], verbs: ["get"] },
];
