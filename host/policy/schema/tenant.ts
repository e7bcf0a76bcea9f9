import { Type, type Static } from "typebox";
import { audience } from "./credential.ts";
import { brokerCeiling, ceiling } from "./egress.ts";
import { block, dnsLabel, dnsSubdomain, duration, setOf, whole } from "./field.ts";
import { memory } from "./quantity.ts";

/** What a policy may have without a Tenant: an algorithm that asks two services twice in every pass of 5 s needs a fifth. */
export const BUDGET = { requestsPerMinute: 240, bytesPerMinute: 32 * 1_024 * 1_024 } as const;

/** What a step of a policy may have without a Tenant. */
export const MOST = { memory: "16Mi", time: "2s" } as const;

const limits = block(
  "What one step of a policy may have at the most.",
  {
    memory: memory("Memory of a step.", "64Ki", "64Mi", { default: MOST.memory }),
    time: duration("Processor time of a step.", "1ms", "2s", { default: MOST.time }),
  },
  { default: {} },
);

/** The spec of a Tenant. */
export const tenantSpec = block("What a tenant consists of, and what it may have.", {
  namespaces: setOf("The namespaces of the tenant, 1 to 1,000.", dnsLabel("Name of a namespace."), {
    min: 1,
    max: 1_000,
  }),
  egress: Type.Optional(ceiling),
  brokers: Type.Optional(brokerCeiling),
  audiences: Type.Optional(
    setOf(
      "Whom tokens of these namespaces' accounts may be for, at most 16.",
      audience("An audience, as a Credential's serviceAccountToken names it."),
      { max: 16 },
    ),
  ),
  clusterCredentials: Type.Optional(
    setOf(
      "ClusterCredentials that policies of these namespaces may use, at most 64, besides those that name the namespace themselves.",
      dnsSubdomain("Name of a ClusterCredential."),
      { max: 64 },
    ),
  ),
  limits,
  budget: block(
    "What one policy may send and receive at the most.",
    {
      requestsPerMinute: whole("Requests a minute.", 1, 10_000, { default: BUDGET.requestsPerMinute }),
      bytesPerMinute: whole("Bytes a minute, both ways together.", 1_024, 1_073_741_824, {
        default: BUDGET.bytesPerMinute,
      }),
    },
    { default: {} },
  ),
});
export type TenantSpec = Static<typeof tenantSpec>;

/** What the API server knows as a Tenant, apart from its metadata. */
export const tenant = block("Namespaces that belong together, and what their policies may have.", {
  spec: tenantSpec,
});
