import { Command, CommanderError } from "commander";
import { inspectCommand } from "./inspect.ts";
import { knowledgeCommand } from "./knowledge.ts";
import { pushCommand } from "./push.ts";
import { complaint, EXIT, type Terminal } from "./terminal.ts";
import { versionCommand } from "./version.ts";

const COMMANDS = [inspectCommand, knowledgeCommand, pushCommand, versionCommand];

/** Runs the command that the words name and returns the exit code: 0 done, 1 failed, 2 not understood. */
async function main(words: readonly string[], terminal: Terminal): Promise<number> {
  const program = new Command("sluice")
    .description("Packs, publishes and inspects scaling algorithms, and carries what an operator knows.")
    .helpCommand(false)
    .configureOutput({ writeOut: (text) => terminal.print(text.trimEnd()), writeErr: () => undefined });
  for (const command of COMMANDS) program.addCommand(settled(command(terminal), program));
  settled(program, program);
  if (words.length === 0) {
    terminal.print(program.helpInformation().trimEnd());
    return EXIT.misunderstood;
  }
  try {
    await program.parseAsync([...words], { from: "user" });
    return EXIT.done;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.done;
    const { text, code } = complaint(thrown, asksForJson(words));
    terminal.complain(text);
    return code;
  }
}

/** Every command throws where it would end the process, so that there is one place that ends it. */
function settled(command: Command, like: Command): Command {
  for (const inner of command.commands) settled(inner, like);
  return command.copyInheritedSettings(like).exitOverride();
}

/** Also said when the words could not be read: a script that wants JSON wants it then too. */
const asksForJson = (words: readonly string[]): boolean =>
  words.some(
    (word, at) =>
      /^(--output|-o)=?json$/.test(word) || (/^(--output|-o)$/.test(word) && words[at + 1] === "json"),
  );

const terminal: Terminal = {
  environment: process.env,
  input: process.stdin,
  print: (text) => void process.stdout.write(`${text}\n`),
  complain: (text) => void process.stderr.write(`${text}\n`),
};
process.exitCode = await main(process.argv.slice(2), terminal);
