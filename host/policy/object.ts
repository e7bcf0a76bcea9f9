import type { Static } from "typebox";
import type { spec } from "./schema/spec.ts";
import type { status } from "./schema/status.ts";

/** What is read is not written to. */
type Frozen<T> = T extends object ? { readonly [Field in keyof T]: Frozen<T[Field]> } : T;

/** What a user asks for, with every default in it. */
export type ScalingPolicySpec = Frozen<Static<typeof spec>>;

/** What the operator says of a policy; it is written to the status subresource. */
export type ScalingPolicyStatus = Frozen<Static<typeof status>>;
