import { basename } from "node:path";
import { Command } from "commander";
import { formatReference } from "../artifact/index.ts";
import { readModule } from "./module.ts";
import { referenceOf, withRegistry, withRegistryOptions, type RegistryWords } from "./registry.ts";
import { answer, outputOption, type Output, type Terminal } from "./terminal.ts";

/** `sluice push`: a module into a registry. */
export function pushCommand(terminal: Terminal): Command {
  const command = new Command("push")
    .description("Push a module to a registry and print the digest that pins it.")
    .argument("<file>", "the module, such as algorithm.wasm")
    .argument("<reference>", "where to, such as oci://registry.example/algorithms/mine:1.0.0")
    .addOption(outputOption());
  return withRegistryOptions(command).action(
    (file: string, reference: string, words: RegistryWords & { output: Output }) =>
      push(file, reference, words, terminal),
  );
}

async function push(
  file: string,
  text: string,
  words: RegistryWords & { output: Output },
  terminal: Terminal,
): Promise<void> {
  const reference = referenceOf(text);
  const wasm = await readModule(file);
  const metadata = {
    title: basename(file, ".wasm"),
    ...(reference.tag === undefined ? {} : { version: reference.tag }),
  };
  const pushed = await withRegistry(reference, words, terminal, (registry, credentials) =>
    registry.push(reference, wasm, { metadata, credentials }),
  );
  const pinned = formatReference({ ...reference, tag: undefined, digest: pushed.manifestDigest });
  const value = { reference: formatReference(reference), pinned, ...pushed, bytes: wasm.length };
  answer(terminal, words.output, value, [
    `pushed  ${value.reference}`,
    `pinned  ${pinned}`,
    `module  ${pushed.digest} (${wasm.length} bytes)`,
  ]);
}
