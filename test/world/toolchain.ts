import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What a Go toolchain says of itself; two that say the same build the same binary from the same source. */
export interface Toolchain {
  /** Like `go1.26.8`. */
  readonly version: string;
  /** Like `linux/amd64`. */
  readonly platform: string;
}

/** What a build of ours runs under: nothing that a developer's own settings could change. */
export const GO_ENVIRONMENT = {
  CGO_ENABLED: "0",
  GOFLAGS: "-buildvcs=false",
  GOTOOLCHAIN: "local",
  GOWORK: "off",
} as const;

/** The Go toolchain on PATH; throws, with the remedy, when there is none or it is older than `floor` (like `1.26.0`). */
export async function toolchain(floor: string): Promise<Toolchain> {
  const needed = floor.split(".").slice(0, 2).join(".");
  const remedy =
    `Go >= ${needed} is needed for the cluster tests: ` +
    "install it from your distribution or go.dev/dl and put it on PATH";
  // Outside any module, else a toolchain that is too old refuses to say how old it is.
  const options = { cwd: tmpdir(), env: { ...process.env, ...GO_ENVIRONMENT } };
  const said = await run("go", ["env", "GOVERSION", "GOOS", "GOARCH"], options).catch(() => undefined);
  if (said === undefined) throw new Error(remedy);
  const [version = "", system = "", processor = ""] = said.stdout.trim().split("\n");
  if (isOlder(version.replace(/^go/, ""), floor)) throw new Error(`${remedy} (here is ${version})`);
  return { version, platform: `${system}/${processor}` };
}

/** Whether one dotted version comes before another; a missing part counts as 0. */
export function isOlder(version: string, floor: string): boolean {
  const [a, b] = [version, floor].map((dotted) =>
    dotted.split(".").map((part) => Number.parseInt(part, 10) || 0),
  );
  for (let i = 0; i < 3; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
