import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { cluster, type Cluster } from "./cluster.ts";

/**
 * Vitest's globalSetup: runs once in the main process, and costs nothing until a test file asks for `sharedCluster()`. Test
 * files run in other processes, so they ask over loopback.
 */
export default async function setUp(project: Pick<TestProject, "provide">): Promise<() => Promise<void>> {
  let started: Promise<Cluster> | undefined;
  const ask = (): Promise<Cluster> => (started ??= cluster());
  const server = createServer((_, response) => {
    ask().then(
      // What can be called is left out: sharedCluster() adds it again on the other side.
      (shared) => response.setHeader("content-type", "application/json").end(JSON.stringify(shared)),
      (thrown: unknown) => response.writeHead(500).end(String(thrown)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  project.provide("world", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.close();
    server.closeAllConnections();
    await (await started?.catch(() => undefined))?.stop();
  };
}
