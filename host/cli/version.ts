import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { answer, outputOption, type Output, type Terminal } from "./terminal.ts";

/** `sluice version`: what runs here. */
export function versionCommand(terminal: Terminal): Command {
  return new Command("version")
    .description("Print the version.")
    .addOption(outputOption())
    .action(async ({ output }: { output: Output }) => {
      const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
      const { version } = JSON.parse(text) as { version: string };
      const value = { version, node: process.versions.node, platform: `${process.platform}-${process.arch}` };
      answer(terminal, output, value, [`sluice ${version} (Node ${value.node}, ${value.platform})`]);
    });
}
