import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { access, rename } from "node:fs/promises";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { Command } from "commander";
import type { PolicyKey } from "../policy/index.ts";
import { exported, imported, openStore, placeOf, type KnowledgeStore } from "../store/index.ts";
import { answer, Misunderstood, outputOption, type Output, type Terminal } from "./terminal.ts";

interface Words {
  readonly state: string;
  readonly knowledgeUrlFile?: string;
  readonly policy?: string;
  readonly replace?: boolean;
  readonly output: Output;
}

/** `sluice knowledge`: takes what an operator remembers out of its file or database, and puts it into another. */
export function knowledgeCommand(terminal: Terminal): Command {
  const take = withPlace(new Command("export"))
    .description("Write all that is known of policies to a file, with checksums.")
    .argument("<file>", "what to write, such as knowledge.ndjson")
    .option("--policy <namespace/name>", "of this policy alone")
    .action((file: string, words: Words) => exportTo(file, words, terminal));
  const put = withPlace(new Command("import"))
    .description(
      "Put what an export has into knowledge. Policies that are known already are left as they are.",
    )
    .argument("<file>", "what an export wrote")
    .option("--replace", "replace what is known already")
    .action((file: string, words: Words) => importFrom(file, words, terminal));
  const command = new Command("knowledge").description("Export and import what the operator remembers.");
  for (const one of [take, put]) command.addCommand(one);
  return command.helpCommand(false);
}

const withPlace = (command: Command): Command =>
  command
    .option("--state <dir>", "the operator's state directory", ".sluice")
    .option("--knowledge-url-file <file>", "a file with the URL of the PostgreSQL database, instead")
    .addOption(outputOption());

async function exportTo(file: string, words: Words, terminal: Terminal): Promise<void> {
  const place = await placeOf({ state: words.state, urlFile: words.knowledgeUrlFile });
  if ("file" in place) await there(place.file, "--state", "Name the state directory of an operator.");
  const only = words.policy as PolicyKey | undefined;
  let lines = 0;
  await withStore(place, async (store) => {
    // What is half written never has the name that was asked for.
    const part = `${file}.part`;
    const out = createWriteStream(part, { mode: 0o600 });
    const written = finished(out);
    written.catch(() => undefined);
    for await (const line of exported(store, only)) {
      lines += 1;
      if (!out.write(line)) await Promise.race([once(out, "drain"), written]);
    }
    out.end();
    await written;
    await rename(part, file);
  });
  answer(terminal, words.output, { file, lines }, [`exported  ${file} (${lines} lines)`]);
}

async function importFrom(file: string, words: Words, terminal: Terminal): Promise<void> {
  await there(file, "file", "Name a file that `sluice knowledge export` wrote.");
  const place = await placeOf({ state: words.state, urlFile: words.knowledgeUrlFile });
  // Read to its end first: of a file that is not whole nothing is put in.
  for await (const _ of imported(linesOf(file)));
  const counts = { imported: 0, known: 0 };
  await withStore(place, async (store) => {
    for await (const dump of imported(linesOf(file)))
      counts[(await store.load(dump, words.replace === true)) ? "imported" : "known"] += 1;
  });
  answer(terminal, words.output, { file, ...counts }, [
    `imported  ${counts.imported} policies`,
    `left      ${counts.known} that were known already`,
  ]);
}

const linesOf = (file: string) =>
  createInterface({ input: createReadStream(file, "utf8"), crlfDelay: Infinity });

async function there(file: string, field: string, remedy: string): Promise<void> {
  await access(file).catch(() => {
    throw new Misunderstood(field, `${file} is not there`, remedy);
  });
}

async function withStore(
  place: Awaited<ReturnType<typeof placeOf>>,
  work: (store: KnowledgeStore) => Promise<void>,
): Promise<void> {
  const store = await openStore({ ...place, clock: { now: () => new Date() } });
  try {
    await work(store);
  } finally {
    await store.close();
  }
}
