import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compileAssemblyScript } from "../../launcher/build/algorithms.ts";
import { conditions, ROOT, stage, type Stage } from "./bed.ts";
import { eventually, operator, type OperatorProcess } from "./operator.ts";

const GI = 2 ** 30;
const page = await readFile(join(ROOT, "docs/how-to/change-resources.md"), "utf8");
const [policy = "", role = ""] = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, block]) => block);

let set: Stage;
let team: string;
let running: OperatorProcess;

const kubectl = (...words: string[]) => set.cluster.kubectl([...words, "--namespace", team]);
const apply = (input: string) =>
  set.cluster.kubectl(["apply", "--namespace", team, "--filename", "-"], { input });
const requests = (kind: "deployment" | "pods") =>
  kubectl(
    ...["get", kind, ...(kind === "pods" ? ["--selector", "app=enrich"] : ["enrich"]), "--output"],
    kind === "pods"
      ? "jsonpath={.items[*].spec.containers[0].resources.requests.memory}"
      : "jsonpath={.spec.template.spec.containers[0].resources.requests.memory}",
  );
const uses = (bytes: number) => set.load.set("working_set_bytes", bytes, { operator: "enrich" });

beforeAll(async () => {
  set = await stage();
  team = await set.tenant(["enrich"]);
  const resources = { requests: { memory: "1Gi" }, limits: { memory: "2Gi" } };
  const change = [{ op: "add", path: "/spec/template/spec/containers/0/resources", value: resources }];
  await kubectl("patch", "deployment", "enrich", "--type", "json", "--patch", JSON.stringify(change));
  const { file } = await compileAssemblyScript(
    { file: join(ROOT, "pdk/assemblyscript/examples/resources.ts") },
    join(set.folder, "more-memory.wasm"),
  );
  const artifact = await set.push(file, "more-memory:1.0.0");
  uses(0.5 * GI);
  running = await operator({
    ...{ kubeconfig: set.kubeconfig, state: join(set.folder, "state"), flags: set.flags([team]) },
  });
  await apply(role);
  await apply(policy.replace(/oci:\S+/, artifact));
}, 300_000);
afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
  await set?.[Symbol.asyncDispose]();
});

test("instances that have enough stay as they are", async () => {
  await eventually(
    async () => (await conditions(set, team, "enrich"))["Ready"],
    (seen) => seen?.status === "True",
    60_000,
  );
  expect(await requests("deployment")).toBe("1Gi");
}, 120_000);

test("instances that are nearly full are replaced by as many with half as much memory again, and the event says so", async () => {
  const count = await kubectl("get", "deployment", "enrich", "--output", "jsonpath={.spec.replicas}");
  uses(Number(count) * 0.9 * GI);
  await eventually(
    () => requests("pods"),
    (seen) => seen.split(" ").length === Number(count) && seen.split(" ").every((one) => one === "1536Mi"),
    90_000,
  );
  const path = "jsonpath={.spec.replicas} {.spec.template.spec.containers[0].resources.limits.memory}";
  expect(await kubectl("get", "deployment", "enrich", "--output", path)).toBe(`${count} 3Gi`);
  await eventually(
    async () => (await conditions(set, team, "enrich"))["Settled"],
    (seen) => seen?.status === "True",
    60_000,
  );
  const events = () =>
    kubectl(
      "get",
      "events",
      "--field-selector",
      "reason=Rescaled",
      "--output",
      "jsonpath={.items[*].message}",
    );
  await eventually(events, (seen) => seen.includes("enrich: memory 1Gi → 1536Mi (90 % of 1024 MiB)"), 30_000);
}, 180_000);

test("nearly full again within the cooldown, they are not replaced again, and it is said why", async () => {
  uses(99 * GI);
  await eventually(
    async () => (await conditions(set, team, "enrich"))["ScalingLimited"],
    (seen) => seen?.status === "True" && seen.message.includes("enrich: CoolingDown"),
    60_000,
  );
  expect(await requests("deployment")).toBe("1536Mi");
}, 120_000);
