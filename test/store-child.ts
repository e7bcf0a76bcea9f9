// Processes of their own that remember, so that they can be killed or bounded.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { policy } from "./builders.ts";
import { pass } from "./store-bed.ts";

const door = new URL("../host/store/index.ts", import.meta.url).href;
type Where = { readonly file: string } | { readonly url: string };

/** A program that opens a store as `store`, with a `policy` and an open `pass`. */
const program = (where: Where, rest: string) => `import { openStore } from ${JSON.stringify(door)};
  const store = await openStore({ ...${JSON.stringify(where)}, clock: { now: () => new Date() } });
  const [policy, pass] = ${JSON.stringify([policy(), pass(41, 0, { outcome: "Open" })])};
  ${rest}`;
const flags = ["--no-warnings", "--input-type=module", "-e"];

/** Remembers pass 41, and is killed while it goes on with others; answers the signal that it ended by. */
export async function killedWhileRemembering(where: Where): Promise<string | null> {
  const endless = `await store.remember(policy, pass);
    process.stdout.write("remembered");
    for (;;) await store.remember(policy, { ...pass, id: "next-" + Math.random(), number: 42 });`;
  const child = spawn(process.execPath, [...flags, program(where, endless)]);
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  const [, signal] = (await once(child, "exit")) as [number | null, string | null];
  return signal;
}

/** Remembers until its files may not grow any more: the numbers that were acknowledged, and the code of the failure. */
export async function rememberedUntilFull(
  file: string,
  kibibytes: number,
): Promise<readonly [string, number[]]> {
  const untilFull = `const acknowledged = [];
    const text = (number) => Array.from({ length: 9_000 }, (_, at) => Math.sin(number * 9_000 + at)).join();
    for (let number = 1, code; code === undefined; number += 1)
      await store.remember(policy, { ...pass, id: "pass-" + number, number, outcome: "Scaled", answers: { plan: text(number) } }).then(
        () => acknowledged.push(number),
        (fault) => process.stdout.write(JSON.stringify([(code = fault.code), acknowledged])),
      );
    process.exit();`;
  const limited = `ulimit -f ${kibibytes * 2}; exec "$0" "$@"`;
  const words = ["-c", limited, process.execPath, ...flags, program({ file }, untilFull)];
  const child = spawn("sh", words, { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  await once(child, "close");
  return JSON.parse(out) as [string, number[]];
}
