import { checkMetadata, SECTION } from "../../contract/index.ts";
import { Fault } from "../../fault/index.ts";
import type { Step } from "../../policy/index.ts";
import { LIMITS } from "../../tenant/index.ts";
import type { Inspection } from "../message.ts";
import { ABI_FUNCTIONS, EXTISM } from "./abi.ts";
import { HOST, HOST_FUNCTIONS } from "./effects.ts";

/** A module that may be instantiated, and what it says of itself. */
export interface Algorithm {
  readonly module: WebAssembly.Module;
  readonly inspection: Inspection;
}

// The policy's own list would bring all its schemas into every sandbox.
const STEPS: readonly Step[] = ["monitor", "analyze", "plan"];
/** What a module may import, and from where. */
const OFFERED: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [EXTISM, ABI_FUNCTIONS],
  [HOST, HOST_FUNCTIONS],
]);
/** Names in an inspection: those of a hostile module are as many and as long as it likes. */
const NAMES = 200;
const NAME_CHARACTERS = 128;

/** Compiles a module and checks what it imports, exports and says of itself. Throws `ArtifactInvalid`. */
export function compile(bytes: Uint8Array): Algorithm {
  checkHead(bytes);
  let module: WebAssembly.Module;
  try {
    module = new WebAssembly.Module(bytes);
  } catch (thrown) {
    throw invalid(`it does not compile: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
  const imports = WebAssembly.Module.imports(module);
  for (const one of imports) checkImport(one);
  const exports = WebAssembly.Module.exports(module);
  const steps = STEPS.filter((step) =>
    exports.some(({ name, kind }) => name === step && kind === "function"),
  );
  if (steps.length === 0) throw invalid("it exports none of the functions monitor, analyze and plan");
  const metadata = metadataOf(module, steps);
  const inspection = {
    bytes: bytes.length,
    imports: imports.slice(0, NAMES).map(({ module: from, name }) => cut(`${from}.${name}`)),
    exports: exports.slice(0, NAMES).map(({ name }) => cut(name)),
    steps,
    metadata,
  };
  return { module, inspection };
}

function checkHead(bytes: Uint8Array): void {
  if (bytes.length > LIMITS.moduleBytes)
    throw invalid(`it has ${bytes.length} bytes, more than ${LIMITS.moduleBytes}`);
  const magic =
    bytes.length >= 8 && bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;
  if (!magic) throw invalid("it is not WebAssembly");
  if (bytes[4] === 0x0d) throw invalid("it is a component: build a core module");
}

function checkImport({ module, name, kind }: WebAssembly.ModuleImportDescriptor): void {
  const what = cut(`${module}.${name}`);
  if (module === "wasi_snapshot_preview1") throw invalid(`it imports ${what}: WASI is not offered yet`);
  if (OFFERED.get(module)?.has(name) !== true || kind !== "function") {
    throw invalid(`it imports ${what} (${kind}), which is not offered`);
  }
}

function metadataOf(module: WebAssembly.Module, steps: readonly Step[]): Inspection["metadata"] {
  const [section, second] = WebAssembly.Module.customSections(module, SECTION);
  if (section === undefined) return undefined;
  if (second !== undefined) throw invalid(`it has more than one ${SECTION} section`);
  if (section.byteLength > LIMITS.configBytes)
    throw invalid(`its ${SECTION} section is longer than ${LIMITS.configBytes} bytes`);
  let metadata: unknown;
  try {
    metadata = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(section));
  } catch {
    throw invalid(`its ${SECTION} section is not JSON`);
  }
  const [problem] = checkMetadata(metadata);
  if (problem !== undefined) throw invalid(`its ${SECTION} section: ${problem.field}: ${problem.message}`);
  const said = metadata as { steps: readonly Step[] };
  const missing = said.steps.find((step) => !steps.includes(step));
  if (missing !== undefined) throw invalid(`it says that it has the step ${missing}, and does not export it`);
  return metadata as Inspection["metadata"];
}

const cut = (name: string) => name.slice(0, NAME_CHARACTERS);
const invalid = (message: string) => new Fault("ArtifactInvalid", `The module cannot be used: ${message}`);
