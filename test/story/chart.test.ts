import { execFile, spawn, type ChildProcess } from "node:child_process";
import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { helmBinary } from "../world/build.ts";
import { freePort } from "../world/port.ts";
import { replicas, ROOT, scaleWriters, stage, type Stage } from "./bed.ts";
import { eventually, operatorBy, type OperatorProcess } from "./operator.ts";
import { policyText } from "./policy.ts";

const run = promisify(execFile);
const CHART = join(ROOT, "charts/sluice");
const RELEASE = ["sluice", CHART, "--namespace", "sluice-system"];
const IMAGE = ["--set", "image.repository=example.invalid/sluice"];
// No volume is to be had of nodes that are not there.
const NO_VOLUME = ["--set", "knowledge.persistence.enabled=false"];

interface Container {
  readonly name: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}
interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}
interface Rendered {
  readonly kind: string;
  readonly rules?: readonly Rule[];
}

let set: Stage;
let kubeconfig = "";
const helm = async (...words: readonly string[]) =>
  (await run(await helmBinary(), words, { env: { ...process.env, KUBECONFIG: kubeconfig } })).stdout;
const template = async (...words: readonly string[]) =>
  parseAllDocuments(await helm("template", ...RELEASE, ...IMAGE, ...words)).flatMap((one) => {
    const object = one.toJS() as Rendered | null;
    return object === null ? [] : [object];
  });

beforeAll(async () => {
  set = await stage(async (real) => {
    ({ kubeconfig } = real);
    await real.kubectl(["create", "namespace", "sluice-system"]);
    const limits = ["pod-security.kubernetes.io/enforce=restricted"];
    await real.kubectl(["label", "namespace", "sluice-system", ...limits]);
    await helm("install", ...RELEASE, ...IMAGE, ...NO_VOLUME, "--wait", "--timeout", "60s");
  });
}, 300_000);
afterAll(() => set?.[Symbol.asyncDispose]());

describe("the chart", () => {
  test("is what Helm takes for a good one", async () => {
    expect(await helm("lint", "--strict", CHART, ...IMAGE)).toContain("0 chart(s) failed");
  });

  test("says what is missing, and refuses values that it does not have", async () => {
    await expect(helm("template", ...RELEASE)).rejects.toThrow("image.repository is needed");
    const misspelt = ["--set", "operator.concurency=3"];
    await expect(helm("template", ...RELEASE, ...IMAGE, ...misspelt)).rejects.toThrow(
      "'concurency' not allowed",
    );
    const isolation = ["--set", "sandbox.isolation=none"];
    await expect(helm("template", ...RELEASE, ...IMAGE, ...isolation)).rejects.toThrow("/sandbox/isolation");
  });

  test("renders objects that the API server takes, with the defaults as with every value set", async () => {
    const values = {
      image: {
        repository: "example.invalid/sluice",
        digest: `sha256:${"0".repeat(64)}`,
        pullSecrets: [{ name: "regcred" }],
      },
      operator: {
        insecureRegistries: ["registry:5000"],
        denyAddresses: ["10.0.0.0/8"],
        extraArgs: ["--context=a"],
      },
      sandbox: { isolation: "shared" },
      knowledge: { persistence: { storageClass: "fast" }, urlSecret: { name: "knowledge" } },
      nodeSelector: { "kubernetes.io/os": "linux" },
      tolerations: [{ operator: "Exists" }],
      podAnnotations: { note: "1" },
    };
    for (const given of [
      [],
      [
        "--set-json",
        Object.entries(values)
          .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
          .join(","),
      ],
    ]) {
      const manifests = await helm("template", ...RELEASE, ...IMAGE, ...given, "--set", "crds.install=false");
      const said = await set.cluster.kubectl(["apply", "--dry-run=server", "--filename", "-"], {
        input: manifests,
      });
      expect(said).toContain("persistentvolumeclaim/sluice created (server dry run)");
    }
  });

  test("gives the rights that install/operator.yaml gives", async () => {
    const plain = parseAllDocuments(await readFile(join(ROOT, "install/operator.yaml"), "utf8"));
    const rulesOf = (all: readonly Rendered[]) =>
      all.flatMap(({ kind, rules }) => (kind.endsWith("Role") ? [JSON.stringify(rules)] : [])).sort();
    expect(rulesOf(await template())).toEqual(rulesOf(plain.map((one) => one.toJS() as Rendered)));
  });

  test("mounts the token into the operator's container, and nothing but a socket's folder into the sandboxes'", async () => {
    const containers = await containersOf();
    expect(
      containers.map(({ name, volumeMounts }) => [name, volumeMounts.map((one) => one.mountPath)]),
    ).toEqual([
      ["operator", ["/var/lib/sluice", "/run/sluice", "/var/run/secrets/kubernetes.io/serviceaccount"]],
      ["sandbox", ["/run/sluice"]],
    ]);
  });
});

describe("a release", () => {
  let running: OperatorProcess;
  let sandbox: ChildProcess;
  afterAll(async () => {
    await running?.[Symbol.asyncDispose]();
    sandbox?.kill("SIGKILL");
  });

  test("scales with the command lines of its two containers, and the rights of its account alone: 420 records a second make 5", async () => {
    const folder = await realpath(set.folder);
    const port = await freePort();
    const here = ({ command, args }: Container) =>
      [...command.slice(1), ...args].map((word) =>
        word
          .replace("/var/lib/sluice", join(folder, "state"))
          .replace("/run/sluice", folder)
          .replace("--port=8080", `--port=${port}`),
      );
    const [operator, supervisor] = await containersOf();
    if (operator === undefined || supervisor === undefined) throw new Error("two containers were expected");
    sandbox = spawn(process.execPath, here(supervisor), {
      cwd: ROOT,
      env: {},
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => sandbox.stdout?.once("data", resolve));

    const team = await set.tenant(["split"]);
    set.load.set("records_rate", 420, { operator: "split" });
    const artifact = await set.push(join(ROOT, "build/algorithms/threshold.wasm"), "threshold:1.0.0");
    running = await operatorBy([...here(operator), "--kubeconfig", set.kubeconfig, ...set.flags([team])]);
    const policy = policyText({
      name: "clicks",
      nodes: ["split"],
      artifact,
      config: { targetPerInstance: 100 },
    });
    await set.cluster.kubectl(["apply", "--namespace", team, "--filename", "-"], { input: policy });
    await eventually(
      () => replicas(set, team),
      (seen) => seen["split"] === "5/5",
    );
    expect(await scaleWriters(set, team)).toEqual([`system:serviceaccount:${team}:scaler`]);
  });

  test("is upgraded, and taken away again: the kinds stay, and the policies with them", async () => {
    await helm(
      "upgrade",
      ...RELEASE,
      ...IMAGE,
      ...NO_VOLUME,
      "--set",
      "sandbox.processes=2",
      "--wait",
      "--timeout",
      "60s",
    );
    expect((await containersOf())[1]?.args).toContain("--sandboxes=2");
    await helm("uninstall", "sluice", "--namespace", "sluice-system", "--wait");
    const left = await set.cluster.kubectl([
      "get",
      "scalingpolicies",
      "--all-namespaces",
      "--output",
      "name",
    ]);
    expect(left).toContain("scalingpolicy.sluice.dev/clicks");
    await expect(
      set.cluster.kubectl(["get", "deployment/sluice", "--namespace", "sluice-system"]),
    ).rejects.toThrow("not found");
  });
});

async function containersOf(): Promise<Container[]> {
  const text = await set.cluster.kubectl([
    "get",
    "deployment/sluice",
    "--namespace",
    "sluice-system",
    "--output",
    "json",
  ]);
  return (JSON.parse(text) as { spec: { template: { spec: { containers: Container[] } } } }).spec.template
    .spec.containers;
}
