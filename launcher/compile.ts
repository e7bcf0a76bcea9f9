// `npm run compile -- algorithm.ts algorithm.wasm`: compiles an algorithm that somebody writes.
import { resolve } from "node:path";
import { compileAssemblyScript } from "./build/algorithms.ts";

const [source, file] = process.argv.slice(2);
if (source === undefined || file === undefined) {
  process.stderr.write("usage: npm run compile -- <algorithm.ts> <algorithm.wasm>\n");
  process.exitCode = 2;
} else {
  try {
    // npm runs scripts in the project's folder; the paths are those of whoever called it.
    const at = (path: string) => resolve(process.env["INIT_CWD"] ?? process.cwd(), path);
    const built = await compileAssemblyScript({ file: at(source) }, at(file));
    process.stdout.write(`${file}: ${built.name}, ${built.bytes} bytes\n`);
  } catch (thrown) {
    process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    process.exitCode = 1;
  }
}
