import { clusterCredential, credential } from "./credential.ts";
import { scalingPolicy } from "./spec.ts";
import { tenant } from "./tenant.ts";
import { toStructural } from "./structural.ts";

export const GROUP = "sluice.dev";
export const VERSION = "v1alpha1";
export const KIND = "ScalingPolicy";

const condition = (type: string, field: string) => `.status.conditions[?(@.type=="${type}")].${field}`;

/** What `kubectl get` shows; a priority of 1 means only with `-o wide`. */
const COLUMNS = [
  { name: "Mode", type: "string", jsonPath: ".spec.mode" },
  { name: "Ready", type: "string", jsonPath: condition("Ready", "status") },
  { name: "Reason", type: "string", jsonPath: condition("Ready", "reason"), priority: 1 },
  { name: "Limited", type: "string", jsonPath: condition("ScalingLimited", "status"), priority: 1 },
  { name: "Interval", type: "string", jsonPath: ".spec.schedule.interval", priority: 1 },
  { name: "Algorithm", type: "string", jsonPath: ".status.algorithms[0].artifact", priority: 1 },
  { name: "Digest", type: "string", jsonPath: ".status.algorithms[0].digest", priority: 1 },
  { name: "Change", type: "string", jsonPath: ".status.lastChange.outcome" },
  { name: "Changed", type: "date", jsonPath: ".status.lastChange.at" },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
];

/** The CustomResourceDefinition of ScalingPolicy, as the API server takes it. */
export const scalingPolicyCrd = () =>
  crdOf({
    kind: KIND,
    scope: "Namespaced",
    shortName: "spol",
    schema: scalingPolicy,
    columns: COLUMNS,
    subresources: { status: {} },
  });

/** The CustomResourceDefinition of Tenant. */
export const tenantCrd = () =>
  crdOf({
    kind: "Tenant",
    scope: "Cluster",
    shortName: "ten",
    schema: tenant,
    columns: [
      { name: "Namespaces", type: "string", jsonPath: ".spec.namespaces" },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  });

const BOUND = [
  { name: "Hosts", type: "string", jsonPath: ".spec.hosts[*].host" },
  { name: "Services", type: "string", jsonPath: ".spec.hosts[*].service.name" },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
];

/** The CustomResourceDefinition of Credential. */
export const credentialCrd = () =>
  crdOf({
    kind: "Credential",
    scope: "Namespaced",
    shortName: "cred",
    schema: credential,
    columns: BOUND,
  });

/** The CustomResourceDefinition of ClusterCredential. */
export const clusterCredentialCrd = () =>
  crdOf({
    kind: "ClusterCredential",
    scope: "Cluster",
    shortName: "ccred",
    schema: clusterCredential,
    columns: BOUND.filter(({ name }) => name !== "Services"),
  });

interface Resource {
  readonly kind: string;
  readonly scope: "Namespaced" | "Cluster";
  readonly shortName: string;
  readonly schema: object;
  readonly columns: readonly object[];
  readonly subresources?: object;
}

function crdOf({ kind, scope, shortName, schema, columns, subresources }: Resource) {
  const plural = pluralOf(kind);
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}`, labels: { "app.kubernetes.io/name": "sluice" } },
    spec: {
      group: GROUP,
      scope,
      names: {
        plural,
        singular: kind.toLowerCase(),
        kind,
        listKind: `${kind}List`,
        shortNames: [shortName],
        categories: ["sluice"],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          ...(subresources === undefined ? {} : { subresources }),
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: toStructural(schema) },
        },
      ],
    },
  };
}

const pluralOf = (kind: string) =>
  kind.endsWith("y") ? `${kind.slice(0, -1).toLowerCase()}ies` : `${kind.toLowerCase()}s`;
