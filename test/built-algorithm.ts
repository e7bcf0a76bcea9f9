import { buildAlgorithms } from "../launcher/build/algorithms.ts";

let building: ReturnType<typeof buildAlgorithms> | undefined;

/** Path of the built module of an algorithm that comes with Sluice; a file of tests builds once. */
export async function builtAlgorithm(name: string): Promise<string> {
  building ??= buildAlgorithms();
  const built = (await building).find((one) => one.name === name);
  if (built === undefined) throw new Error(`there is no algorithm ${name}`);
  return built.file;
}
