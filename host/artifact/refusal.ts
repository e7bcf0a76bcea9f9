import { Fault, type FaultCode, type FaultDetail } from "../fault/index.ts";
import { ARTIFACT_LIMITS } from "./limits.ts";

/** An artifact that is not what it should be. `name` is its reference. */
export const invalid = (name: string, message: string, remedy?: string): Fault =>
  new Fault("ArtifactInvalid", `${name} ${message}`, remedy === undefined ? {} : { remedy });

/** Bytes that do not have the digest or length that they were announced with. */
export const mismatched = (name: string, message: string): Fault =>
  new Fault("DigestMismatch", `${name}: ${message}`);

/** A registry that cannot be used now. */
export const unavailable = (name: string, message: string, detail: FaultDetail = {}): Fault =>
  new Fault("ArtifactUnavailable", `${name}: ${message}`, { retry: true, ...detail });

/** A registry that wants other credentials, or wants to send them where they must not go. */
export const denied = (name: string, message: string, remedy?: string): Fault =>
  new Fault("ArtifactDenied", `${name}: ${message}`, remedy === undefined ? {} : { remedy });

/** What an answer other than the one hoped for means. The registry's own words are not repeated: they are anybody's. */
export function refusal(
  name: string,
  status: number,
  retryAfter: string | undefined,
  who = "registry",
): Fault {
  const code = codeOf(status);
  const detail = { retry: code === "ArtifactUnavailable", ...waitOf(retryAfter) };
  return new Fault(code, `${name}: the ${who} answered ${status}`, detail);
}

function codeOf(status: number): FaultCode {
  if (status === 404) return "ArtifactNotFound";
  return status === 401 || status === 403 ? "ArtifactDenied" : "ArtifactUnavailable";
}

/** Registries say seconds; a date, which the standard allows too, is left to the caller's own pauses. */
function waitOf(retryAfter: string | undefined): { retryAfterSeconds?: number } {
  if (retryAfter === undefined || !/^\d{1,9}$/.test(retryAfter)) return {};
  return { retryAfterSeconds: Math.min(ARTIFACT_LIMITS.longestRetryAfterSeconds, Number(retryAfter)) };
}

/** What a request that got no whole answer means. A fault passes as it is. */
export function unanswered(name: string, thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  const code = errorCode(thrown);
  if (/^(ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/.test(code)) {
    return unavailable(name, `the registry does not speak TLS (${code})`, {
      remedy:
        "Serve the registry over TLS, or list its host among the insecure ones (`--plain-http` of the command).",
      cause: thrown,
    });
  }
  if (/^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_|ERR_SSL_)/.test(code)) {
    return unavailable(name, `the registry's certificate is not trusted (${code})`, {
      remedy: "Renew the certificate, or give the authority that signed it (`--ca` of the command).",
      cause: thrown,
    });
  }
  return unavailable(name, `the registry could not be reached or broke off (${code})`, { cause: thrown });
}

function errorCode(thrown: unknown): string {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    const { code } = error as NodeJS.ErrnoException;
    if (typeof code === "string" && /^[A-Z0-9_]{1,64}$/.test(code)) return code;
  }
  return "no reason given";
}
