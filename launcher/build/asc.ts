// Runs the AssemblyScript compiler in a process of its own: it keeps state between runs, and ends the process when it
// crashes. Reads its order as JSON from the command line; prints what it read, so that the result can be cached.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createMemoryStream, main } from "assemblyscript/asc";
import type { AscOrder } from "./compile.ts";

/** Where the compiler looks for the PDK, from wherever the algorithm lies. */
const PDK_NAME = "node_modules/@sluice/pdk/";

const WITHOUT_PDK =
  'an algorithm imports "@sluice/pdk": without it nothing could tell the host where a check fails';

const order = JSON.parse(process.argv[2] ?? "{}") as AscOrder;
const reads: Record<string, string | null> = {};

/** The compiler tries several names for one import: that a file is not there is an answer as well, and null. */
async function read(name: string): Promise<string | null> {
  const path = pathOf(name);
  const text = name === order.entry && order.text !== undefined ? order.text : await textOf(path);
  reads[path] = text === null ? null : createHash("sha256").update(text).digest("hex");
  return text;
}

function pathOf(name: string): string {
  const at = name.indexOf(PDK_NAME);
  return at < 0 ? resolve(order.home, name) : resolve(order.pdk, name.slice(at + PDK_NAME.length));
}

async function textOf(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch(() => null);
}

const stderr = createMemoryStream();
const { error } = await main([order.entry, "--outFile", "algorithm.wasm", ...order.options], {
  readFile: read,
  writeFile: (_name, content) => writeFile(order.out, content),
  listFiles: () => [],
  stdout: createMemoryStream(),
  stderr,
});
const usesPdk = Object.keys(reads).some((path) => path.startsWith(order.pdk));
const hasEntry = order.text !== undefined || (await textOf(pathOf(order.entry))) !== null;
process.stdout.write(JSON.stringify({ reads, message: error === null ? undefined : whatIsWrong(error) }));

function whatIsWrong({ message }: Error): string {
  if (!hasEntry) return `${order.entry}: there is no such file`;
  return usesPdk ? stderr.toString().trim() || message : WITHOUT_PDK;
}
