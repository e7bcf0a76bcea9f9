import { saslAuthenticateV2, saslHandshakeV1, saslPlain, saslScramSha } from "@platformatic/kafka";
import type { Ask, BrokerConnection } from "./connection.ts";
import { LIMITS } from "./limits.ts";
import type { Proof } from "./place.ts";
import { invalid } from "./refusal.ts";

type Sasl = Extract<Proof, { kind: "sasl" }>;

/**
 * Shows a user name and a password, and answers for how many milliseconds the broker takes them; undefined is for good. SCRAM
 * makes sure in turn that the broker knows the password. Throws a fault where it is refused.
 */
export async function authenticate(
  connection: BrokerConnection,
  proof: Sasl,
  signal: AbortSignal,
): Promise<number | undefined> {
  await connection.ask<unknown>((wire, done) => saslHandshakeV1.api(wire, proof.mechanism, done), signal);
  const { sessionLifetimeMs } = await connection.ask(exchange(proof), signal);
  return sessionLifetimeMs > 0n ? Number(sessionLifetimeMs) : undefined;
}

function exchange({ mechanism, username, password }: Sasl): Ask<saslAuthenticateV2.SaslAuthenticateResponse> {
  const { api } = saslAuthenticateV2;
  if (mechanism === "PLAIN")
    return (wire, done) => saslPlain.authenticate(api, wire, username, password, done);
  const algorithm = mechanism === "SCRAM-SHA-256" ? "SHA-256" : "SHA-512";
  return (wire, done) => saslScramSha.authenticate(api, wire, algorithm, username, password, CRYPTO, done);
}

const { defaultCrypto } = saslScramSha;
const CRYPTO: typeof defaultCrypto = {
  ...defaultCrypto,
  hi: (definition, password, salt, iterations) =>
    iterations > LIMITS.scramIterations
      ? Promise.reject(invalid(`it wants a password hashed ${iterations} times`))
      : defaultCrypto.hi(definition, password, salt, iterations),
};
