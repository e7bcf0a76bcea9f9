// Makes the corpus of modules: `node test/fuzz/modules/make.ts [path of wasm-tools 1.263.0]`. The same version makes the same
// corpus. It is not needed to run the tests: what it makes is kept beside it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import wabtInit from "wabt";
import { ABI, EXTISM } from "../../../host/engine/sandbox/abi.ts";
import { Random } from "../random.ts";
import { MODULES, pack } from "./pack.ts";

const TOOL = process.argv[2] ?? "wasm-tools";
const random = new Random(4);
const folder = mkdtempSync(join(tmpdir(), "modules-"));

/** Features that are refused; each family turns on what it is about. */
const OFF = `custom-descriptors gc exceptions tail-call threads memory64 relaxed-simd shared-everything-threads
  custom-page-sizes wide-arithmetic compact-imports extended-const acquire-release-atomics multibyte-array-access`;
const SMALL = `--export-everything true --generate-custom-sections false --max-memories 1 --max-memory32-bytes 4194304
  --max-table-elements 2000 --min-funcs 2 --max-instructions 150 --max-data-segments 4 --memory-offset-choices 90,9,1
  --min-exports 2 --max-exports 40`;
const options = (on: string, more: string, functions = 8) => [
  "--max-funcs",
  String(functions),
  ...OFF.trim()
    .split(/\s+/)
    .filter((name) => !on.split(" ").includes(name))
    .flatMap((name) => [`--${name}-enabled`, "false"]),
  ...SMALL.trim().split(/\s+/),
  ...more.split(" ").filter((one) => one !== ""),
];
const imports = join(folder, "imports.wasm");
writeFileSync(imports, await importing());

/** What is generated: how many, and with what. The first six are inside what is accepted. */
const FAMILIES: readonly (readonly [count: number, options: readonly string[]])[] = [
  [
    90,
    options(
      "",
      "--max-imports 0 --allow-floats false --simd-enabled false --reference-types-enabled false --bulk-memory-enabled false",
    ),
  ],
  [
    90,
    options("", "--max-imports 0 --allow-floats false --simd-enabled false --max-tables 4 --min-memories 1"),
  ],
  [60, options("", "--max-imports 0 --allow-floats false --simd-enabled true --min-memories 1")],
  [60, options("", "--max-imports 0 --simd-enabled false --min-memories 1")],
  [
    60,
    options(
      "extended-const",
      "--max-imports 0 --simd-enabled false --canonicalize-nans true --min-memories 1",
    ),
  ],
  [
    60,
    options(
      "",
      `--available-imports ${imports} --allow-floats false --simd-enabled false --min-memories 1`,
      40,
    ),
  ],
  [20, options("", "--simd-enabled true --min-memories 1")],
  [60, ["--max-instructions", "150", "--max-funcs", "8"]],
  [20, options("", "--max-imports 0 --simd-enabled false --allow-invalid-funcs true")],
];
const MUTANTS = 130;

const made: Uint8Array[] = [];
for (const [count, given] of FAMILIES) {
  const from = made.length;
  for (let tries = 0; made.length < from + count && tries < count * 4; tries += 1) {
    const length = 200 + random.below(3_000);
    const input = Uint8Array.from({ length }, () => random.below(256));
    const module = run(["smith", ...given], input);
    // Empty ones are all alike, and large ones make the corpus large without saying more.
    if (module !== undefined && module.length > 60 && module.length < 6_000) made.push(module);
  }
  process.stdout.write(`${made.length - from} of ${count}\n`);
}
const accepted = made.slice(0, 420);
for (let tries = 0; made.length < 520 + MUTANTS && tries < MUTANTS * 3; tries += 1) {
  const seed = ["--seed", String(random.below(1e6))];
  const mutant = run(
    ["mutate", "-", ...seed, ...(random.once(2) ? ["--preserve-semantics"] : [])],
    random.pick(accepted),
  );
  if (mutant !== undefined && mutant.length < 8_000) made.push(mutant);
}
rmSync(folder, { recursive: true });
const packed = pack(made);
writeFileSync(MODULES, packed);
process.stdout.write(`${made.length} modules, ${packed.length} bytes\n`);

function run(given: readonly string[], input: Uint8Array): Uint8Array | undefined {
  const out = join(folder, "out.wasm");
  const { status } = spawnSync(TOOL, [...given, "-o", out], { input, stdio: ["pipe", "ignore", "ignore"] });
  return status === 0 ? new Uint8Array(readFileSync(out)) : undefined;
}

/** A module that imports all of the interface, each function under its type. */
async function importing(): Promise<Uint8Array> {
  const wabt = await wabtInit();
  const lines = Object.entries(ABI).map(([name, { signature }]) => {
    const [parameters = "", results = ""] = signature.split("->").map((part) => part.trim());
    const types = `${parameters === "" ? "" : `(param ${parameters})`} ${results === "" ? "" : `(result ${results})`}`;
    return `(import "${EXTISM}" "${name}" (func ${types}))`;
  });
  return wabt.parseWat("imports.wat", `(module ${lines.join("\n")})`).toBinary({}).buffer;
}
