import { Fault } from "../../fault/index.ts";

/** Ends the admission of a module: `ArtifactInvalid`, with what is wrong in words that follow on "cannot be used:". */
export function refuse(message: string): never {
  throw new Fault("ArtifactInvalid", `The module cannot be used: ${message}`);
}

/** Names that a module gave: a hostile one's are as long as it likes. */
export const cut = (name: string): string => name.slice(0, NAME_CHARACTERS);
const NAME_CHARACTERS = 128;
