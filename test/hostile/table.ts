import { COMPUTE } from "./compute.ts";
import { ENCODING } from "./encoding.ts";
import { FEATURE } from "./feature.ts";
import { FORMAT } from "./format.ts";
import type { Hostile } from "./hostile.ts";
import { GRANTED, INTERFACE } from "./interface.ts";
import { MEMORY } from "./memory.ts";
import { OUTPUT } from "./output.ts";
import { SHAPE } from "./shape.ts";
import { STORM } from "./storm.ts";

/** Every hostile module, with what has to become of it. */
export const HOSTILE: readonly Hostile[] = [
  ...[...SHAPE, ...FORMAT, ...ENCODING, ...FEATURE, ...COMPUTE, ...STORM],
  ...[...MEMORY, ...INTERFACE, ...GRANTED, ...OUTPUT],
];
