export { counted, guard, windowed, type Ground, type Guarded } from "./guard.ts";
export { notScaled } from "./remember.ts";
export { reshaped, type Stays } from "./resources.ts";
export { counting } from "./total.ts";
