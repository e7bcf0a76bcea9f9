import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { planner, sha256, wasm } from "./modules.ts";
import { registry } from "./world/index.ts";

type World = Awaited<ReturnType<typeof registry>>;
const COMMAND = resolve(import.meta.dirname, "../host/cli/sluice.mjs");

let folder = "";
let file = "";
let open: World;
let closed: World;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-cli-"));
  file = join(folder, "algorithm.wasm");
  await writeFile(file, wasm("cli"));
  [open, closed] = await Promise.all([registry(), registry({ auth: "bearer", tls: true })]);
});
afterAll(async () => {
  await Promise.all([open.stop(), closed.stop()]);
  await rm(folder, { recursive: true });
});

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command as a user would, without anything of this machine's own configuration. */
function sluice(
  words: readonly string[],
  { input = "", environment = {}, node = process.execPath } = {},
): Promise<Ran> {
  return new Promise((done, reject) => {
    const env = { PATH: process.env["PATH"] ?? "", HOME: folder, ...environment };
    const command = spawn(node, [COMMAND, ...words], { env });
    let out = "";
    let err = "";
    command.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    command.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    command.on("error", reject);
    command.on("close", (code) => done({ code, out, err }));
    command.stdin.on("error", () => undefined).end(input);
  });
}

describe("sluice push", () => {
  test("puts a module into a registry, and prints the reference that names it for good", async () => {
    const reference = `oci://${open.host}/team-a/mine:1.0.0`;
    const { code, out, err } = await sluice(["push", file, reference, "--plain-http"]);
    const url = `${open.url}/v2/team-a/mine/manifests/1.0.0`;
    const manifest = await (
      await fetch(url, { headers: { accept: "application/vnd.oci.image.manifest.v1+json" } })
    ).text();
    expect([code, err]).toEqual([0, ""]);
    expect(out).toBe(
      `pushed  ${reference}\npinned  oci://${open.host}/team-a/mine@${sha256(manifest)}\nmodule  ${sha256(wasm("cli"))} (15 bytes)\n`,
    );
    expect(JSON.parse(manifest)).toMatchObject({
      annotations: {
        "org.opencontainers.image.title": "algorithm",
        "org.opencontainers.image.version": "1.0.0",
      },
    });
  });

  test("answers with JSON for a script", async () => {
    const reference = `oci://${open.host}/team-a/json:1`;
    const { out } = await sluice(["push", file, reference, "--plain-http", "--output", "json"]);
    const answer = JSON.parse(out) as Record<string, unknown>;
    expect(answer).toEqual({
      reference,
      pinned: `oci://${open.host}/team-a/json@${String(answer["manifestDigest"])}`,
      digest: sha256(wasm("cli")),
      manifestDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
      bytes: 15,
    });
  });

  test("shows the password from standard input, and trusts the authority it is given", async () => {
    const words = [
      "push",
      file,
      `oci://${closed.host}/a:1`,
      "--ca",
      closed.ca ?? "",
      "--username",
      closed.username,
      "--password-stdin",
    ];
    expect((await sluice(words, { input: `${closed.password}\n` })).code).toBe(0);
    const refused = await sluice(words, { input: "hunter2\n" });
    expect(refused).toEqual({
      code: 1,
      out: "",
      err: `sluice: ArtifactDenied reference: oci://${closed.host}/a:1: the token service answered 401. Give --username and --password-stdin, or log in so that the docker configuration has this registry.\n`,
    });
  });

  test("takes the credentials of the docker configuration when it is told nothing", async () => {
    const auth = Buffer.from(`${closed.username}:${closed.password}`).toString("base64");
    const config = JSON.stringify({ auths: { [closed.host]: { auth } } });
    await mkdir(join(folder, ".docker"));
    await writeFile(join(folder, ".docker", "config.json"), config);
    const words = ["push", file, `oci://${closed.host}/a:2`, "--ca", closed.ca ?? ""];
    expect((await sluice(words)).code).toBe(0);
    const elsewhere = await sluice(words, { environment: { DOCKER_CONFIG: join(folder, "nowhere") } });
    expect([elsewhere.code, elsewhere.err]).toEqual([
      1,
      expect.stringContaining("ArtifactDenied reference:") as string,
    ]);
  });

  test("says in one line what is wrong: the code, the field and the remedy", async () => {
    const text = join(folder, "text.wasm");
    await writeFile(text, "not a module\u001b[2J");
    const reference = `oci://${open.host}/wrong:1`;
    const ran = await sluice(["push", text, reference, "--plain-http"]);
    expect(ran).toEqual({
      code: 1,
      out: "",
      err: `sluice: ArtifactInvalid reference: ${reference} is not WebAssembly: it does not begin as a module does. Correct what the message names, and build the module again.\n`,
    });
    const json = await sluice(["push", text, reference, "--plain-http", "-o", "json"]);
    expect(JSON.parse(json.err)).toMatchObject({ error: { code: "ArtifactInvalid", field: "reference" } });
    const plain = await sluice(["push", file, reference]);
    expect(plain.err).toContain("the registry does not speak TLS");
    expect(plain.err).toContain("`--plain-http`");
  });
});

describe("sluice inspect", () => {
  const metadata = { api: "sluice/v1", name: "hold", version: "1.0.0", steps: ["plan"] };
  const module = planner(metadata);

  test("shows what a module offers and says of itself", async () => {
    const path = join(folder, "hold.wasm");
    await writeFile(path, module);
    expect(await sluice(["inspect", path])).toEqual({
      code: 0,
      err: "",
      out: [
        `source    ${path}`,
        `module    ${sha256(module)} (${module.length} bytes)`,
        "steps     plan",
        "imports   none",
        "exports   plan",
        "api       sluice/v1",
        "name      hold",
        "version   1.0.0",
        "",
      ].join("\n"),
    });
  });

  test("shows one that lies in a registry, with the reference that names it for good", async () => {
    const path = join(folder, "there.wasm");
    await writeFile(path, module);
    const reference = `oci://${open.host}/inspected:1`;
    const pushed = await sluice(["push", path, reference, "--plain-http", "-o", "json"]);
    const shown = await sluice(["inspect", reference, "--plain-http", "-o", "json"]);
    expect([shown.code, shown.err]).toEqual([0, ""]);
    expect(JSON.parse(shown.out)).toMatchObject({
      source: reference,
      pinned: (JSON.parse(pushed.out) as { pinned: string }).pinned,
      digest: sha256(module),
      bytes: module.length,
      steps: ["plan"],
      metadata,
    });
  });

  test("refuses one that no host would run, by code, field and remedy", async () => {
    const { code, err } = await sluice(["inspect", file]);
    expect([code, err.split("\n").length]).toEqual([1, 2]);
    expect(err).toMatch(/^sluice: ArtifactInvalid file: .*exports none of .*monitor, analyze.*plan/);
    const missing = await sluice(["inspect", `oci://${open.host}/none:1`, "--plain-http"]);
    expect(missing.err).toBe(
      `sluice: ArtifactNotFound reference: oci://${open.host}/none:1: the registry answered 404. Push the algorithm first, or correct the reference.\n`,
    );
  });
});

describe("words that cannot be meant", () => {
  test.each([
    [["frob"], "sluice: Usage: unknown command 'frob'. `sluice --help` has the commands.\n"],
    [
      ["push", "a.wasm"],
      "sluice: Usage: missing required argument 'reference'. `sluice --help` has the commands.\n",
    ],
    [
      ["push", "a.wasm", "registry/a"],
      "sluice: Usage reference: A reference begins with oci://. Write it as oci://host/repository:tag or oci://host/repository@sha256:<digest>.\n",
    ],
    [
      ["push", "/dev/null", "oci://localhost/a", "--username", "me"],
      "sluice: Usage --password-stdin: A name was given and no password. Add --password-stdin and pipe the password in.\n",
    ],
    [
      ["version", "-o", "yaml"],
      "sluice: Usage: option '-o, --output <form>' argument 'yaml' is invalid. Allowed choices are text, json. `sluice --help` has the commands.\n",
    ],
  ])("%j end with 2", async (words, err) => {
    const [, name] = words;
    const there = name === "/dev/null" ? words.with(1, file) : words;
    expect(await sluice(there)).toEqual({ code: 2, out: "", err });
  });

  test("that are none at all end with 2 and the help, which asked for ends with 0", async () => {
    const [none, help] = await Promise.all([sluice([]), sluice(["--help"])]);
    expect([none.code, help.code]).toEqual([2, 0]);
    expect(help.out).toBe(none.out);
    expect(help.out).toContain("push [options] <file> <reference>");
  });
});

test("sluice version names the version of the package", async () => {
  const { version } = JSON.parse(await readFile(resolve(import.meta.dirname, "../package.json"), "utf8")) as {
    version: string;
  };
  expect((await sluice(["version"])).out).toMatch(
    new RegExp(`^sluice ${version} \\(Node 24\\.\\d+\\.\\d+, `),
  );
});
