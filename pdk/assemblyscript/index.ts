export { answer, Answer, Fields, Plan } from "./answer";
export { log } from "./extism";
export { abort, fail } from "./failure";
export { http, Request, Response } from "./http";
export { Observation, Sample } from "./observation";
export { Past, read, Step } from "./step";
export { figure, seconds } from "./text";
export { Edge, Node, Topology } from "./topology";
export { Value } from "./value";
