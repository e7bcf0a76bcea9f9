import type { Registry } from "../algorithm/index.ts";
import { credentialsOf, type Artifacts } from "../artifact/index.ts";
import { asFault, Fault } from "../fault/index.ts";
import { accountOf, type Cluster, type KubeObject } from "../kube/index.ts";
import type { Policy } from "../policy/index.ts";

type DockerConfig = Parameters<typeof credentialsOf>[0][number];

const DOCKER_CONFIG = ".dockerconfigjson";
const FIELD = "spec.algorithm.pullSecrets";

/** Registries as a policy may use them: with the pull secrets that its own account may read, and no others. */
export const policyRegistry = (cluster: Cluster, artifacts: Artifacts): Registry => ({
  resolve: async (policy, reference) =>
    artifacts.resolve(policy.tenant, reference, credentialsOf(await pullSecrets(cluster, policy))),
  has: (tenant, digest) => artifacts.has(tenant, digest),
});

/** Secrets are read when they are needed and kept nowhere. */
async function pullSecrets(cluster: Cluster, policy: Policy): Promise<DockerConfig[]> {
  const { pullSecrets: names } = policy.algorithm;
  if (names.length === 0) return [];
  const resource = await cluster.resource("v1", "Secret");
  const api = cluster.as(accountOf(policy));
  return Promise.all(
    names.map(async (name, at) => {
      const field = `${FIELD}[${at}]`;
      const secret = await api
        .get(resource, name)
        .catch((thrown: unknown) => unreadable(name, field, asFault(thrown)));
      return { text: dockerConfigOf(secret, field), field };
    }),
  );
}

function dockerConfigOf(secret: KubeObject, field: string): string {
  const encoded = (secret["data"] as Record<string, unknown> | undefined)?.[DOCKER_CONFIG];
  if (typeof encoded !== "string") {
    const remedy = "Make it with `kubectl create secret docker-registry`.";
    throw new Fault("PolicyInvalid", `The Secret ${secret.metadata.name} has no ${DOCKER_CONFIG}`, {
      field,
      remedy,
    });
  }
  return Buffer.from(encoded, "base64").toString("utf8");
}

function unreadable(name: string, field: string, { code, message, remedy, retry }: Fault): never {
  if (code !== "TargetNotFound") throw new Fault(code, message, { field, remedy, retry });
  throw new Fault("ArtifactDenied", `There is no Secret ${name}`, {
    field,
    remedy: "Create the Secret, or remove it from the list.",
  });
}
