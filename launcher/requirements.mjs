// What a machine must have, asked in plain JavaScript that any Node from 20 on can run before anything is installed.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
const NODE_NEEDED = [24, 15];
const INSTALL = "npm ci --include=dev --include=optional";

/**
 * The Node that runs Sluice and all its children: the one that npm installed, else the one that runs this, if it is new
 * enough. Undefined if there is neither.
 */
export function nodeBinary({ root = ROOT, platform = process.platform, arch = process.arch } = {}) {
  const installed = join(root, "node_modules", `node-${platform}-${arch}`, "bin", "node");
  if (existsSync(installed)) return installed;
  return newEnough(process.versions.node) ? process.execPath : undefined;
}

/** One line on what keeps this machine from running Sluice at all, or undefined. */
export function machineProblem({
  platform = process.platform,
  arch = process.arch,
  version = process.versions.node,
} = {}) {
  if (Number(version.split(".")[0]) < 20)
    return `Node ${version} is too old to start with: install Node 20 or newer.`;
  if (platform !== "linux")
    return `Sluice runs on Linux, and this is ${platform}: use a Linux machine, container or virtual machine.`;
  if (arch !== "x64" && arch !== "arm64" && !newEnough(version)) {
    return `npm has no Node 24 for linux-${arch}: install Node ${NODE_NEEDED.join(".")} or newer for it and run this with it.`;
  }
  return undefined;
}

/**
 * How what is installed compares with the lock file: "current", "stale" (an install is due), or one line on packages that
 * were left out on purpose and are needed.
 */
export function installation({ root = ROOT, platform = process.platform, arch = process.arch } = {}) {
  const wanted = packagesOf(join(root, "package-lock.json"));
  const found = packagesOf(join(root, "node_modules", ".package-lock.json"));
  if (found === undefined || wanted === undefined) return { state: "stale" };
  const missing = [];
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === "") continue;
    const has = found[path];
    if (has === undefined && entry.optional === true && path !== `node_modules/node-${platform}-${arch}`)
      continue;
    if (has === undefined) missing.push(entry);
    else if (has.version !== entry.version) return { state: "stale" };
  }
  if (missing.length === 0) return { state: "current" };
  if (missing.every((entry) => entry.dev === true)) {
    return {
      state: "omitted",
      problem: `Development packages are missing (NODE_ENV=production or --omit=dev): run \`${INSTALL}\`.`,
    };
  }
  if (missing.every((entry) => entry.optional === true)) {
    return {
      state: "omitted",
      problem: `Optional packages are missing (--omit=optional), among them Node 24: run \`${INSTALL}\`.`,
    };
  }
  return { state: "stale" };
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

function newEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor >= NODE_NEEDED[1]);
}
