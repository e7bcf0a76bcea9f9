import { Command } from "commander";
import { ARTIFACT_LIMITS, digestOf, formatReference, type Reference } from "../artifact/index.ts";
import { startEngine, type Inspection } from "../engine/index.ts";
import { Fault } from "../fault/index.ts";
import { tenantKey } from "../policy/index.ts";
import { readModule } from "./module.ts";
import { referenceOf, withRegistry, withRegistryOptions, type RegistryWords } from "./registry.ts";
import { answer, outputOption, printable, type Output, type Terminal } from "./terminal.ts";

type Words = RegistryWords & { readonly output: Output };

/** What is inspected: where it came from, and its bytes. */
interface Found {
  readonly field: "file" | "reference";
  readonly source: string;
  /** The reference that names it for good, if it came from a registry. */
  readonly pinned?: string;
  readonly bytes: Uint8Array;
}

/** `sluice inspect`: what a module says of itself, as the operator will see it. */
export function inspectCommand(terminal: Terminal): Command {
  const command = new Command("inspect")
    .description("Show what a module needs and offers, and what a host would refuse.")
    .argument(
      "<module>",
      "a file such as algorithm.wasm, or a reference such as oci://registry.example/algorithms/mine:1.0.0",
    )
    .addOption(outputOption());
  return withRegistryOptions(command).action((source: string, words: Words) =>
    inspect(source, words, terminal),
  );
}

async function inspect(source: string, words: Words, terminal: Terminal): Promise<void> {
  const found = source.startsWith("oci://")
    ? await pull(referenceOf(source), words, terminal)
    : await read(source);
  const digest = digestOf(found.bytes);
  const inspection = await inspectInSandbox(found);
  const { field: _field, bytes: _bytes, ...from } = found;
  answer(terminal, words.output, { ...from, digest, ...inspection }, linesOf(found, digest, inspection));
}

const read = async (path: string): Promise<Found> => ({
  field: "file",
  source: path,
  bytes: await readModule(path),
});

async function pull(reference: Reference, words: Words, terminal: Terminal): Promise<Found> {
  const { hardModuleBytes } = ARTIFACT_LIMITS;
  const { bytes, manifestDigest } = await withRegistry(reference, words, terminal, (registry, credentials) =>
    registry.pull(reference, { credentials, moduleBytes: hardModuleBytes }),
  );
  const pinned = formatReference({ ...reference, tag: undefined, digest: manifestDigest });
  return { field: "reference", source: formatReference(reference), pinned, bytes };
}

/** The bytes are only ever read in a sandbox process, here as in the operator. */
async function inspectInSandbox({ field, bytes }: Found): Promise<Inspection> {
  const engine = await startEngine({ modules: async () => bytes, sandboxes: 1 });
  try {
    return await engine.inspect({ tenant: tenantKey("cli"), digest: digestOf(bytes) });
  } catch (thrown) {
    if (thrown instanceof Fault)
      throw new Fault(thrown.code, thrown.message, { field, remedy: thrown.remedy, cause: thrown });
    throw thrown;
  } finally {
    await engine.close();
  }
}

function linesOf(
  { source, pinned }: Found,
  digest: string,
  { bytes, steps, imports, exports, metadata = {} }: Inspection,
): string[] {
  // Its steps were compared with its exports: they are the same, and said once.
  const said = Object.entries(metadata).filter(([key]) => key !== "steps");
  const rows = {
    source,
    ...(pinned === undefined ? {} : { pinned }),
    module: `${digest} (${bytes} bytes)`,
    steps: listed(steps),
    imports: listed(imports),
    exports: listed(exports),
  };
  return [...Object.entries(rows), ...said].map(([key, value]) =>
    printable(`${key.padEnd(9)} ${typeof value === "string" ? value : JSON.stringify(value)}`),
  );
}

const listed = (names: readonly string[]): string => (names.length === 0 ? "none" : names.join(", "));
