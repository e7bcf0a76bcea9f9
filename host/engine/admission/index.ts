export { admit, examine, type Admitted, type Examined } from "./admission.ts";
export { checkSteps, type Offer, type Offers } from "./interface.ts";
export type { Decoded } from "./module.ts";
export { FUEL, globalName, MEMORY, REFUSED, START, type Caps } from "./rewrite.ts";
