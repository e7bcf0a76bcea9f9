import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { testworldBinary } from "../world/build.ts";
import { expectStatus, type Bed } from "./bed.ts";

const run = promisify(execFile);
const PATH = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

/** What a webhook makes of a number that is to be written: another one, a refusal, or nothing. */
export type Opinion = (
  name: string,
  replicas: number,
) => { replicas: number } | { refuse: string } | undefined;

interface Review {
  readonly apiVersion: string;
  readonly kind: string;
  readonly request: {
    readonly uid: string;
    readonly name: string;
    readonly object: { spec: { replicas: number } };
  };
}

/** An admission webhook for the scale of one namespace's Deployments. */
export async function admission(
  { admin }: Bed,
  namespace: string,
  opinion: Opinion,
): Promise<AsyncDisposable> {
  const pki = await mkdtemp(join(tmpdir(), "sluice-webhook-"));
  await run(await testworldBinary(), ["pki", pki, "https://127.0.0.1:1"]);
  const [key, cert, ca] = await Promise.all(
    ["registry.key", "registry.crt", "registry-ca.crt"].map((file) => readFile(join(pki, file))),
  );
  const server = createServer({ key, cert }, (request, response) => {
    let text = "";
    request.on("data", (piece: Buffer) => (text += piece.toString("utf8")));
    request.on("end", () => {
      const { apiVersion, kind, request: asked } = JSON.parse(text) as Review;
      const said = opinion(asked.name, asked.object.spec.replicas);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ apiVersion, kind, response: { uid: asked.uid, ...answer(said) } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const name = `opinion-${namespace}`;
  await expectStatus(admin("POST", PATH, configuration(name, namespace, port, ca ?? Buffer.alloc(0))), 201);
  return {
    async [Symbol.asyncDispose]() {
      await admin("DELETE", `${PATH}/${name}`);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(pki, { recursive: true, force: true });
    },
  };
}

function answer(said: ReturnType<Opinion>): object {
  if (said === undefined) return { allowed: true };
  if ("refuse" in said) return { allowed: false, status: { message: said.refuse } };
  const patch = JSON.stringify([{ op: "replace", path: "/spec/replicas", value: said.replicas }]);
  return { allowed: true, patchType: "JSONPatch", patch: Buffer.from(patch).toString("base64") };
}

const configuration = (name: string, namespace: string, port: number, ca: Buffer) => ({
  metadata: { name },
  webhooks: [
    {
      name: "opinion.sluice.test",
      rules: [
        {
          apiGroups: ["apps"],
          apiVersions: ["v1"],
          operations: ["UPDATE"],
          resources: ["deployments/scale"],
        },
      ],
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
      clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle: ca.toString("base64") },
      timeoutSeconds: 10,
      failurePolicy: "Fail",
      sideEffects: "None",
      admissionReviewVersions: ["v1"],
    },
  ],
});
