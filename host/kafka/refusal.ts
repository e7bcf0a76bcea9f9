import { errorCodes, GenericError, MultipleErrors, ProtocolError } from "@platformatic/kafka";
import { Fault, type FaultDetail } from "../fault/index.ts";
import { LIMITS } from "./limits.ts";

/** A broker that could not be asked, or answered with an error of its own: the next pass may fare better. */
export const unavailable = (message: string, detail: FaultDetail = {}): Fault =>
  new Fault("SourceUnavailable", message, { retry: true, remedy: ASK_AGAIN, ...detail });
const ASK_AGAIN = "Check that the brokers run, and that the service leads to them.";

/** An answer that nobody can use: no fault ever becomes a number. */
export const invalid = (message: string, detail: FaultDetail = {}): Fault =>
  new Fault("SourceInvalid", message, { remedy: LOOK, ...detail });
const LOOK = "Check that the service and its port are those of a Kafka broker.";

/** Fit for a status, a log line or a terminal. */
export const printable = (text: string): string =>
  text.replace(/\p{C}+/gu, " ").slice(0, LIMITS.saysCharacters);

/** What a broker says where it may not be asked. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  "TOPIC_AUTHORIZATION_FAILED",
  "GROUP_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "SASL_AUTHENTICATION_FAILED",
  "UNSUPPORTED_SASL_MECHANISM",
  "ILLEGAL_SASL_STATE",
]);

/** What went wrong with a broker, as a fault; what the client does not know is an answer that cannot be used. */
export function refusal(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  const said = protocolErrorOf(thrown);
  if (said !== undefined) {
    const words = typeof said === "string" ? said : "an error";
    if (words === "UNKNOWN_TOPIC_OR_PARTITION" || words === "INVALID_TOPIC_EXCEPTION")
      return invalid("there is no such topic, or it may not be seen", {
        remedy: "Create the topic, correct its name, or let the credential's user describe it.",
      });
    if (FORBIDDEN.has(words))
      return unavailable(`the broker refuses it (${words}): it wants another credential, or one at all`, {
        remedy: "Let the credential's user describe the topic and the group, or name another credential.",
      });
    return unavailable(`the broker answered ${words}`);
  }
  if (isClients(thrown)) return unavailable(`the broker refuses the credential (${messageOf(thrown)})`);
  return invalid("what it answered is not the answer of a Kafka broker");
}

/** The name that Kafka gives to an error, such as `NOT_COORDINATOR`; undefined where a broker said none. */
function protocolErrorOf(thrown: unknown, depth = 0): string | undefined {
  if (depth > 4 || !(thrown instanceof Error)) return undefined;
  if (thrown instanceof ProtocolError) {
    const id: unknown = Reflect.get(thrown, "apiId");
    return typeof id === "string" ? id : "an error without a name";
  }
  if (thrown instanceof MultipleErrors) {
    for (const one of thrown.errors) {
      const found = protocolErrorOf(one, depth + 1);
      if (found !== undefined) return found;
    }
  }
  return protocolErrorOf(thrown.cause, depth + 1);
}

const isClients = (thrown: unknown): thrown is Error =>
  thrown instanceof GenericError && (errorCodes as readonly string[]).includes(thrown.code);

const messageOf = (thrown: Error) => printable(thrown.message);
