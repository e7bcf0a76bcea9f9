import { connect, machineTime, type Resource } from "../../../host/kube/index.ts";

export interface Population {
  readonly kubeconfig: string;
  readonly tenants: number;
  /** Policies of each tenant, with a target each. */
  readonly policies: number;
  readonly interval: string;
  readonly artifact: string;
}

/** So many objects are made at the same time; the client has eight connections. */
const AT_ONCE = 32;
const GROUP = "bench.sluice.dev";

/** A kind with a scale subresource and no controller: what is measured is Sluice, and not who makes pods of numbers. */
export const WORK_CRD = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `works.${GROUP}` },
  spec: {
    group: GROUP,
    scope: "Namespaced",
    names: { plural: "works", singular: "work", kind: "Work", listKind: "WorkList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        subresources: {
          status: {},
          scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
        },
      },
    ],
  },
};

/** The operator may keep copies of that kind. */
export const COPIES = [
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "sluice-works" },
    rules: [{ apiGroups: [GROUP], resources: ["works"], verbs: ["get", "list", "watch"] }],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "sluice-works" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "sluice-works" },
    subjects: [{ kind: "ServiceAccount", name: "sluice", namespace: "sluice-system" }],
  },
];

/** Makes the tenants' namespaces, what they grant, their targets and their policies. Returns the namespaces. */
export async function populate(population: Population): Promise<string[]> {
  const cluster = connect({ time: machineTime, kubeconfig: population.kubeconfig });
  const kinds = new Map<string, Resource>();
  const create = async (namespace: string | undefined, object: { apiVersion: string; kind: string }) => {
    const name = `${object.apiVersion} ${object.kind}`;
    const resource = kinds.get(name) ?? (await cluster.resource(object.apiVersion, object.kind));
    kinds.set(name, resource);
    await cluster.operator.create(resource, namespace, object);
  };
  const namespaces = Array.from({ length: population.tenants }, (_, at) => `tenant-${at}`);
  const waiting = [...namespaces];
  const lane = async () => {
    for (let namespace = waiting.shift(); namespace !== undefined; namespace = waiting.shift()) {
      await create(undefined, { apiVersion: "v1", kind: "Namespace", ...named(namespace) });
      for (const object of rights()) await create(namespace, object);
      for (let at = 0; at < population.policies; at += 1) {
        await create(namespace, { ...work(at) });
        await create(namespace, policy(at, population));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  await cluster.close();
  return namespaces;
}

const named = (name: string) => ({ metadata: { name } });
const role = (name: string, rules: readonly object[]) => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "Role",
  ...named(name),
  rules,
});
const binding = (name: string, subject: object) => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "RoleBinding",
  ...named(name),
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
  subjects: [{ kind: "ServiceAccount", ...subject }],
});

/** What install/tenant.yaml grants, for the bench's kind. */
const rights = () => [
  { apiVersion: "v1", kind: "ServiceAccount", ...named("scaler") },
  role("scaler", [
    { apiGroups: [GROUP], resources: ["works"], verbs: ["get"] },
    { apiGroups: [GROUP], resources: ["works/scale"], verbs: ["get", "update"] },
  ]),
  binding("scaler", { name: "scaler" }),
  role("sluice-acts-as-scaler", [
    { apiGroups: [""], resources: ["serviceaccounts"], resourceNames: ["scaler"], verbs: ["impersonate"] },
  ]),
  binding("sluice-acts-as-scaler", { name: "sluice", namespace: "sluice-system" }),
];

const work = (at: number) => ({
  apiVersion: `${GROUP}/v1`,
  kind: "Work",
  ...named(`work-${at}`),
  spec: { replicas: 3 },
});

const policy = (at: number, { interval, artifact }: Population) => ({
  apiVersion: "sluice.dev/v1alpha1",
  kind: "ScalingPolicy",
  ...named(`policy-${at}`),
  spec: {
    serviceAccountName: "scaler",
    target: {
      kubernetes: {
        nodes: [{ name: "work", ref: { apiVersion: `${GROUP}/v1`, kind: "Work", name: `work-${at}` } }],
      },
    },
    algorithm: { artifact },
    schedule: { interval },
  },
});
