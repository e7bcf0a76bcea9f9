import { scalingPolicy } from "./spec.ts";
import { toStructural } from "./structural.ts";

export const GROUP = "sluice.dev";
export const VERSION = "v1alpha1";
export const KIND = "ScalingPolicy";
const PLURAL = "scalingpolicies";

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
export function scalingPolicyCrd() {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${PLURAL}.${GROUP}`, labels: { "app.kubernetes.io/name": "sluice" } },
    spec: {
      group: GROUP,
      scope: "Namespaced",
      names: {
        plural: PLURAL,
        singular: KIND.toLowerCase(),
        kind: KIND,
        listKind: `${KIND}List`,
        shortNames: ["spol"],
        categories: ["sluice"],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: COLUMNS,
          schema: { openAPIV3Schema: toStructural(scalingPolicy) },
        },
      ],
    },
  };
}
