import { FAULTS, type FaultCode } from "./codes.ts";

/** One thing that is wrong with a document: which field, and why. */
export interface Problem {
  readonly field: string;
  readonly message: string;
}

export interface FaultDetail {
  /** The field of the policy that the reader can change, as a path such as `spec.target`. */
  readonly field?: string;
  /** Replaces the code's general remedy where a better one is known. */
  readonly remedy?: string;
  /** Whether trying again without any change may help. Default false. */
  readonly retry?: boolean;
  /** How long to wait before the next try, where the other side said so. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** A failed operation: one code, the field and the remedy. Only the reconciler acts on `retry`. */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly field: string | undefined;
  readonly remedy: string;
  readonly retry: boolean;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: FaultCode, message: string, detail: FaultDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = "Fault";
    this.code = code;
    this.field = detail.field;
    this.remedy = detail.remedy ?? FAULTS[code].remedy;
    this.retry = detail.retry ?? false;
    this.retryAfterSeconds = detail.retryAfterSeconds;
  }

  /** The one sentence a user reads: `spec.target: what happened. What to do.` */
  get sentence(): string {
    const where = this.field === undefined ? "" : `${this.field}: `;
    return `${where}${this.message.replace(/\.?$/, ".")} ${this.remedy}`;
  }
}

/** Anything thrown, as a fault: what is not one already is a defect of the host. */
export function asFault(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new Fault("Internal", message, { retry: true, cause: thrown });
}
