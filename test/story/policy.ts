/** The manifests of a tenant's application: a chain of Deployments, and the service that its metrics are read from. */
export function application(names: readonly string[]): string {
  const deployments = names.map(
    (name) => `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  replicas: 1
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      containers: [{ name: main, image: "example.invalid/${name}:1", resources: { requests: { cpu: 10m, memory: 16Mi } } }]`,
  );
  const service = `apiVersion: v1
kind: Service
metadata: { name: prometheus }
spec: { selector: { app: prometheus }, ports: [{ port: 9090 }] }`;
  return [...deployments, service].join("\n---\n");
}

export interface PolicyText {
  readonly name: string;
  readonly nodes: readonly string[];
  readonly artifact: string;
  readonly query?: string;
  readonly config?: object;
  readonly egress?: readonly object[];
  readonly guardrails?: object;
  readonly mode?: string;
  readonly ownership?: object;
}

/** A policy over a chain of Deployments that is asked once a second. */
export function policyText({
  name,
  nodes,
  artifact,
  query,
  config,
  egress,
  guardrails,
  mode = "Enforce",
  ownership,
}: PolicyText): string {
  const chain = nodes.map((node, at) => ({
    name: node,
    ref: { apiVersion: "apps/v1", kind: "Deployment", name: node },
    ...(nodes[at + 1] === undefined ? {} : { to: [nodes[at + 1]] }),
  }));
  const sources = [
    {
      name: "rates",
      prometheus: {
        service: { name: "prometheus", port: 9090 },
        query: query ?? "sum by (operator) (records_rate)",
      },
      byLabel: { label: "operator" },
    },
  ];
  const algorithm = {
    artifact,
    pullSecrets: [{ name: "regcred" }],
    ...(config === undefined ? {} : { config }),
    ...(egress === undefined ? {} : { egress }),
  };
  return JSON.stringify({
    apiVersion: "sluice.dev/v1alpha1",
    kind: "ScalingPolicy",
    metadata: { name },
    spec: {
      mode,
      serviceAccountName: "scaler",
      target: { kubernetes: { nodes: chain } },
      sources,
      algorithm,
      schedule: { interval: "1s" },
      ...(guardrails === undefined ? {} : { guardrails }),
      ...(ownership === undefined ? {} : { ownership }),
    },
  });
}

/** A pull secret for one registry. */
export function pullSecret(host: string, username: string, password: string): string {
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  const config = JSON.stringify({ auths: { [host]: { auth } } });
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "regcred" },
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": Buffer.from(config).toString("base64") },
  });
}
