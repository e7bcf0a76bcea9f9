import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { testworldBinary } from "../world/build.ts";
import type { Stage } from "./bed.ts";

const run = promisify(execFile);
const NAME = "hold-scale";

/** Lets every scaling of a namespace through but that of one Deployment, which waits until it is let go. */
export interface Hold {
  /** How many writes wait now. */
  waiting(): number;
  /** Lets everything through again. */
  release(): Promise<void>;
}

/** Holds the scale writes of one Deployment in the API server, by an admission webhook that does not answer. */
export async function holdScale(
  { cluster: { kubectl }, folder }: Stage,
  namespace: string,
  deployment: string,
): Promise<Hold> {
  const pki = join(folder, "webhook");
  await run(await testworldBinary(), ["pki", pki, "https://127.0.0.1:1"]);
  const [key, cert, ca] = await Promise.all(
    ["registry.key", "registry.crt", "registry-ca.crt"].map((file) => readFile(join(pki, file))),
  );
  let held = 0;
  const server = createServer({ key, cert }, (request, response) => {
    let text = "";
    request.on("data", (piece: Buffer) => (text += piece.toString("utf8")));
    request.on("end", () => {
      const review = JSON.parse(text) as {
        apiVersion: string;
        kind: string;
        request: { uid: string; name: string };
      };
      if (review.request.name === deployment) return void (held += 1);
      const { apiVersion, kind, request: asked } = review;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ apiVersion, kind, response: { uid: asked.uid, allowed: true } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await kubectl(["apply", "--filename", "-"], {
    input: JSON.stringify(webhook(namespace, port, ca ?? Buffer.alloc(0))),
  });
  return {
    waiting: () => held,
    release: async () => {
      await kubectl(["delete", "validatingwebhookconfiguration", NAME]);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const webhook = (namespace: string, port: number, ca: Buffer) => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingWebhookConfiguration",
  metadata: { name: NAME },
  webhooks: [
    {
      name: "hold.sluice.test",
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
      timeoutSeconds: 30,
      failurePolicy: "Fail",
      sideEffects: "None",
      admissionReviewVersions: ["v1"],
    },
  ],
});
