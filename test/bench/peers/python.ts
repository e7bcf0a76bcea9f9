import { execFile, spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, readFile, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "undici";
import { freePort } from "../../world/port.ts";

const HERE = import.meta.dirname;
const REQUIREMENTS = join(HERE, "requirements.txt");
/** The interpreter takes half a second to load the server; a machine at work takes some times that. */
const START_MS = 30_000;

/** The same logic in Python, as those run it whom Sluice is measured against. */
export interface Python extends AsyncDisposable {
  readonly version: string;
  readonly pid: number;
  /** One step over HTTP, the connection kept: the body goes as it is, the answer comes as text. */
  post(step: string, body: string): Promise<string>;
  /** One step in a process of its own. */
  exec(input: string): Promise<string>;
}

/** Starts the server in an environment of its own, made when there is none yet. Throws, with the reason, if it cannot be. */
export async function startPython(): Promise<Python> {
  const python = await environment();
  const { stdout } = await promisify(execFile)(python, ["--version"]);
  const port = await freePort();
  const server = spawn(python, [join(HERE, "server.py"), String(port)], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const client = new Client(`http://127.0.0.1:${port}`, { pipelining: 1 });
  const post = async (step: string, body: string) => {
    const path = `/api/v1alpha1/${step}`;
    const answer = await client.request({
      method: "POST",
      path,
      headers: { "content-type": "application/json" },
      body,
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`${step}: ${answer.statusCode} ${text.slice(0, 200)}`);
    return text;
  };
  await listening(client, server);
  return {
    version: stdout.trim(),
    pid: server.pid ?? 0,
    post,
    exec: (input) => inProcess(python, input),
    async [Symbol.asyncDispose]() {
      await client.destroy();
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGKILL");
      await ended;
    },
  };
}

async function environment(): Promise<string> {
  const digest = createHash("sha256")
    .update(await readFile(REQUIREMENTS))
    .digest("hex")
    .slice(0, 16);
  const kept = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "sluice", "peers", digest);
  const python = join(kept, "bin", "python3");
  const isThere = await access(python).then(
    () => true,
    () => false,
  );
  if (isThere) return python;
  // An environment knows where it stands: it is made in its place, and taken away again if it cannot be finished.
  await mkdir(join(kept, ".."), { recursive: true });
  try {
    await promisify(execFile)("python3", ["-m", "venv", kept]);
    const options = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      "--requirement",
      REQUIREMENTS,
    ];
    await promisify(execFile)(python, options, { maxBuffer: 16 * 1_024 * 1_024 });
    return python;
  } catch (thrown) {
    await rm(kept, { recursive: true, force: true });
    throw thrown;
  }
}

async function listening(client: Client, server: ChildProcess): Promise<void> {
  const end = performance.now() + START_MS;
  for (;;) {
    if (server.exitCode !== null) throw new Error(`the Python server ended with ${server.exitCode}`);
    try {
      const { body, statusCode } = await client.request({ method: "GET", path: "/openapi.json" });
      await body.dump();
      if (statusCode === 200) return;
    } catch (thrown) {
      if (performance.now() > end) throw thrown;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function inProcess(python: string, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, [join(HERE, "step.py")], { stdio: ["pipe", "pipe", "inherit"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(said) : reject(new Error(`step.py ended with ${code}`)),
    );
    child.stdin.end(input);
  });
}
