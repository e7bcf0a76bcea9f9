import { beforeAll } from "vitest";
import { buildAlgorithms } from "../launcher/build/algorithms.ts";

/** What is not in the cache takes seconds to build, and more where others have the processor: no test's time, but its file's. */
const BUILD_MS = 240_000;

let building: ReturnType<typeof buildAlgorithms> | undefined;
const build = () => (building ??= buildAlgorithms());
beforeAll(async () => void (await build()), BUILD_MS);

/** Path of the built module of an algorithm that comes with Sluice; a file of tests that imports this builds them once. */
export async function builtAlgorithm(name: string): Promise<string> {
  const built = (await build()).find((one) => one.name === name);
  if (built === undefined) throw new Error(`there is no algorithm ${name}`);
  return built.file;
}
