// What the JavaScript PDK of Extism gives a plugin, as far as an algorithm uses it.
import type { StepInput } from "./contract.d.ts";

export type * from "./contract.d.ts";

declare global {
  const Host: {
    /** The input of the step as text: `JSON.parse` of it is a `StepInput`. */
    inputString(): string;
    /** Hands over the answer of the step. */
    outputString(text: string): void;
  };
  const Http: {
    /** Asks a service that the policy grants; the step is run again from its start when the answer is there. */
    request(
      request: {
        readonly url: string;
        readonly method: "GET" | "HEAD";
        readonly headers?: Record<string, string>;
      },
      body?: string,
    ): { readonly status: number; readonly body: string };
  };
}

/** A step: what an algorithm exports. */
export type Step = () => void;
export type { StepInput };
