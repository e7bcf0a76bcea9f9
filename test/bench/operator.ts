import { join } from "node:path";
import { processes, rssMb } from "../engine/bed.ts";
import { stage } from "../story/bed.ts";
import { operator } from "../story/operator.ts";
import type { Row } from "./engine.ts";

/** What an operator without any policy takes, half a minute after its start, on a real API server. */
export async function operatorIdle(): Promise<Row[]> {
  await using set = await stage();
  await using running = await operator({ kubeconfig: set.kubeconfig, state: join(set.folder, "state") });
  await new Promise((resolve) => setTimeout(resolve, 30_000));
  const children = processes(running.pid).reduce((all, { pid }) => all + rssMb(pid), 0);
  return [
    {
      what: "resident memory of an idle operator, and of its children",
      figure: `${rssMb(running.pid).toFixed(0)} MB, and ${children.toFixed(0)} MB`,
    },
  ];
}
