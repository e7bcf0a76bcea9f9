import { Fault, type FaultCode, type FaultDetail } from "../fault/index.ts";
import { OPERATOR, type Identity } from "./identity.ts";
import { fieldsOf } from "./resource.ts";

/** A call that the API server refused or did not answer; `status` is HTTP's, 0 where there was no answer. */
export class ClusterFault extends Fault {
  readonly status: number;

  constructor(code: FaultCode, status: number, message: string, detail: FaultDetail = {}) {
    super(code, message, detail);
    this.status = status;
  }
}

/** Who wanted to do what, for messages. */
export interface Attempt {
  readonly identity: Identity;
  /** As in a Role: get, list, watch, create, update, patch, delete. */
  readonly verb: string;
  /** As in a Role: `deployments/scale`. */
  readonly resource: string;
  /** The API group, "" for the core. */
  readonly group: string;
}

/** Messages of the API server can quote whole objects; longer ones are cut. */
const MESSAGE_CHARACTERS = 512;
/** A server that asks for more than an hour is not believed. */
const LONGEST_RETRY_AFTER_SECONDS = 3_600;

/** What the API server's refusal means: one fault for each kind of answer. */
export function refusal(
  status: number,
  text: string,
  retryAfter: string | undefined,
  attempt: Attempt,
): ClusterFault {
  const message = messageOf(text) ?? `The API server answered ${status}`;
  const fault = (code: FaultCode, detail: FaultDetail = {}) =>
    new ClusterFault(code, status, message, detail);
  if (status === 401 || status === 403)
    return fault("Forbidden", { remedy: permit(message, status, attempt) });
  if (status === 404 || status === 405) return fault("TargetNotFound");
  if (status === 409) return fault("Conflict", { retry: true });
  if (status === 400 || status === 413 || status === 422) return fault("PolicyInvalid");
  if (status === 410 || status === 429 || status >= 500) {
    return fault("ClusterUnavailable", { retry: true, ...waitOf(retryAfter) });
  }
  return fault("Internal");
}

/** No answer at all: no connection, a broken one, or none in time. */
export function unanswered(thrown: unknown, attempt: Attempt): ClusterFault {
  const said = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  const message = `The API server did not answer ${attempt.verb} ${attempt.resource}: ${said}`;
  return new ClusterFault("ClusterUnavailable", 0, message, { retry: true, cause: thrown });
}

/** The exact right that is missing, so that it can be granted without a search. */
function permit(message: string, status: number, { identity, verb, resource, group }: Attempt): string {
  if (status === 401) return "Renew the operator's credentials: the API server does not know them.";
  if (identity === OPERATOR) {
    return `Allow the operator's account to ${verb} ${resource}${inGroup(group)} in its ClusterRole.`;
  }
  const account = `${identity.namespace}/${identity.name}`;
  if (message.includes("cannot impersonate")) {
    return `Allow the operator's account to impersonate the service account ${account}.`;
  }
  return `Bind the service account ${account} to a Role that allows ${verb} on ${resource}${inGroup(group)}.`;
}

const inGroup = (group: string) => (group === "" ? "" : ` of ${group}`);

function messageOf(text: string): string | undefined {
  let said: unknown = text;
  try {
    said = fieldsOf(JSON.parse(text))["message"];
  } catch {
    // A path that is not served is answered in plain text.
  }
  return typeof said === "string" && said.trim() !== ""
    ? said.trim().slice(0, MESSAGE_CHARACTERS)
    : undefined;
}

function waitOf(retryAfter: string | undefined): { retryAfterSeconds?: number } {
  const seconds = Number(retryAfter);
  if (retryAfter === undefined || !Number.isFinite(seconds) || seconds < 0) return {};
  return { retryAfterSeconds: Math.min(seconds, LONGEST_RETRY_AFTER_SECONDS) };
}
