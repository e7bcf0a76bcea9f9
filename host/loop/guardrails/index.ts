export { guard, type Ground, type Guarded } from "./guard.ts";
export { notScaled } from "./remember.ts";
