import { checkMetadata, SECTION } from "../../contract/index.ts";
import { Fault } from "../../fault/index.ts";
import type { Step } from "../../policy/index.ts";
import { LIMITS } from "../../tenant/index.ts";
import type { Inspection } from "../message.ts";
import { admit, checkSteps, type Caps, type Decoded, type Offers } from "../admission/index.ts";
import { ABI, EXTISM } from "./abi.ts";
import { HOST, HOST_FUNCTIONS } from "./effects.ts";
import type { Runnable } from "./guest.ts";
import { WASI, WASI_FUNCTIONS } from "./wasi.ts";

/** A module that may be instantiated, and what it says of itself. */
export interface Algorithm extends Runnable {
  readonly inspection: Inspection;
}

// The policy's own list would bring all its schemas into every sandbox.
const STEPS: readonly Step[] = ["monitor", "analyze", "plan"];
/** What a module may import, and from where. */
const OFFERS: Offers = { [EXTISM]: ABI, [HOST]: HOST_FUNCTIONS, [WASI]: WASI_FUNCTIONS };
/** Names in an inspection: those of a hostile module are as many as it may have. */
const NAMES = 200;
const NAME_CHARACTERS = 128;

/** What a module is limited to where nobody asked for anything else. */
const CAPS: Caps = { memoryPages: LIMITS.memoryPages };

/** Admits a module, compiles it and reads what it says of itself. Throws `ArtifactInvalid`. */
export function compile(bytes: Uint8Array, caps: Caps = CAPS): Algorithm {
  const { decoded, bytes: metered, rewindable } = admit(bytes, OFFERS, caps);
  const steps = checkSteps(decoded, STEPS);
  const metadata = metadataOf(decoded, steps);
  const inspection = {
    bytes: bytes.length,
    imports: decoded.imports.slice(0, NAMES).map(({ module: from, name }) => cut(`${from}.${name}`)),
    exports: decoded.exports.slice(0, NAMES).map(({ name }) => cut(name)),
    steps,
    metadata,
  };
  const importing = decoded.imports.map(({ module, name, type }) => ({
    ...{ module, name },
    parameters: decoded.types[type]?.parameters.length ?? 0,
  }));
  const { memoryPages } = caps;
  return { module: new WebAssembly.Module(metered), imports: importing, rewindable, memoryPages, inspection };
}

function metadataOf({ bytes, customs }: Decoded, steps: readonly Step[]): Inspection["metadata"] {
  const [found, second] = customs.filter(({ name }) => name === SECTION);
  if (found === undefined) return undefined;
  if (second !== undefined) throw invalid(`it has more than one ${SECTION} section`);
  const section = bytes.subarray(found.from, found.to);
  if (section.length > LIMITS.configBytes)
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
