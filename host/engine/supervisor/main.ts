// The program of the supervisor: it holds no token and looks at no byte of a module. It speaks with the operator over its
// standard input and output, or over a Unix socket (`--listen PATH`) when the two run in different containers.
import { createServer } from "node:net";
import { parseArgs } from "node:util";
import { Supervisor } from "./supervisor.ts";

const { values } = parseArgs({
  options: { listen: { type: "string" }, sandboxes: { type: "string", default: "8" } },
});
const limits = { sandboxes: Number(values.sandboxes), waitingPerTenant: 1_000, waitMs: 30_000 };

if (values.listen === undefined) {
  const supervisor = new Supervisor(process.stdin, process.stdout, limits);
  // The operator's end closes when it ends, however it ends: nothing here outlives it.
  process.stdin.on("end", () => void leave(supervisor));
  process.stdin.on("error", () => void leave(supervisor));
  process.stdout.on("error", () => void leave(supervisor));
} else {
  const server = createServer((socket) => {
    const supervisor = new Supervisor(socket, socket, limits);
    socket.on("error", () => undefined);
    socket.on("close", () => void supervisor.close());
  });
  server.listen(values.listen, () => process.stdout.write("listening\n"));
}

async function leave(supervisor: Supervisor): Promise<void> {
  await supervisor.close();
  process.exit(0);
}
