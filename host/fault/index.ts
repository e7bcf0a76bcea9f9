export { FAULTS, type FaultCode } from "./codes.ts";
export { Fault, asFault, type FaultDetail, type Problem } from "./fault.ts";
