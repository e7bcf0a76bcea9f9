import { parseChallenges } from "./challenge.ts";
import { basicHeader, printOf, type Credential } from "./credential.ts";
import { ARTIFACT_LIMITS } from "./limits.ts";
import { denied, refusal, unavailable } from "./refusal.ts";
import { discard, header, receive, type Message, type Wire } from "./wire.ts";

/** Who wants what of which registry. */
export interface Ask {
  /** The reference, for messages. */
  readonly name: string;
  readonly origin: URL;
  readonly repository: string;
  readonly action: "pull" | "pull,push";
  readonly credential: Credential | undefined;
}

interface Held {
  readonly authorization: string;
  readonly untilMs: number;
}

/**
 * Turns credentials into what a registry wants to see. It decides alone where they go: to the registry itself, to a token
 * service on the registry's own origin, or to one that the administrator listed.
 */
export class Authority {
  readonly #wire: Wire;
  readonly #realms: ReadonlySet<string>;
  readonly #held = new Map<string, Held>();

  constructor(wire: Wire, realms: readonly string[]) {
    this.#wire = wire;
    this.#realms = new Set(realms);
  }

  /** The `Authorization` that was good for the same ask a short while ago. */
  known(ask: Ask): string | undefined {
    const held = this.#held.get(keyOf(ask));
    return held !== undefined && held.untilMs > this.#wire.time.elapsedMs() ? held.authorization : undefined;
  }

  /** The `Authorization` that answers a `401`. Throws `ArtifactDenied`, or `ArtifactUnavailable`. */
  async answer(ask: Ask, challenge: string, signal: AbortSignal): Promise<string> {
    const challenges = parseChallenges(challenge);
    const bearer = challenges.find(({ scheme }) => scheme === "bearer")?.parameters;
    const realm = bearer?.get("realm");
    if (bearer !== undefined && realm !== undefined) {
      const { token, seconds } = await this.#token(ask, realm, bearer.get("service"), signal);
      return this.#hold(ask, `Bearer ${token}`, seconds);
    }
    if (!challenges.some(({ scheme }) => scheme === "basic")) {
      throw denied(
        ask.name,
        "the registry wants an authentication that is not spoken here; Basic and Bearer are",
      );
    }
    if (ask.credential?.kind !== "basic")
      throw denied(ask.name, "the registry wants a user name and a password");
    return this.#hold(ask, basicHeader(ask.credential), ARTIFACT_LIMITS.tokenSeconds);
  }

  #hold(ask: Ask, authorization: string, seconds: number): string {
    const [oldest] = this.#held.keys();
    if (this.#held.size >= ARTIFACT_LIMITS.tokens && oldest !== undefined) this.#held.delete(oldest);
    this.#held.set(keyOf(ask), { authorization, untilMs: this.#wire.time.elapsedMs() + seconds * 1_000 });
    return authorization;
  }

  async #token(ask: Ask, realm: string, service: string | undefined, signal: AbortSignal): Promise<Token> {
    const url = this.#realm(ask, realm);
    const answer = await this.#wire.send(tokenRequest(url, ask, service), signal);
    if (answer.statusCode !== 200) {
      await discard(answer);
      const status = answer.statusCode;
      // A token service that does not know the name or the password says so in different ways.
      if (status === 400 || status === 404) throw denied(ask.name, `the token service answered ${status}`);
      throw refusal(ask.name, status, header(answer, "retry-after"), "token service");
    }
    const received = await receive(answer, ARTIFACT_LIMITS.tokenBytes, ask.name, this.#wire);
    const token = received === undefined ? undefined : readToken(received.bytes);
    if (token === undefined)
      throw unavailable(ask.name, "the token service answered with something that is not a token");
    return token;
  }

  /** Where a hostile registry points to gets nothing, not even a request. */
  #realm({ name, origin }: Ask, realm: string): URL {
    const url = URL.parse(realm);
    const own = url?.origin === origin.origin;
    const listed = url?.protocol === "https:" && this.#realms.has(url.host);
    if (url !== null && this.#wire.permits(url) && (own || listed)) return url;
    const host = url === null ? "a place that is no URL" : JSON.stringify(url.host.slice(0, 253));
    throw denied(
      name,
      `the registry sends its callers for a token to ${host}, which is not its own host`,
      "If that is right, have the administrator add the host to the token services that are allowed.",
    );
  }
}

interface Token {
  readonly token: string;
  readonly seconds: number;
}

// What is asked for is what is needed here, whatever the registry proposed: a token for another repository is not fetched.
const scopeOf = ({ repository, action }: Ask): string => `repository:${repository}:${action}`;

const keyOf = (ask: Ask): string => `${ask.origin.origin} ${scopeOf(ask)} ${printOf(ask.credential)}`;

function tokenRequest(url: URL, ask: Ask, service: string | undefined): Message {
  const { credential } = ask;
  const scope = scopeOf(ask);
  if (credential?.kind === "identity") {
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: credential.token,
      client_id: "sluice",
      scope,
    });
    if (service !== undefined) form.set("service", service);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return { method: "POST", url, headers, body: form.toString() };
  }
  url.searchParams.set("scope", scope);
  if (service !== undefined) url.searchParams.set("service", service);
  return {
    method: "GET",
    url,
    ...(credential === undefined ? {} : { headers: { authorization: basicHeader(credential) } }),
  };
}

function readToken(bytes: Uint8Array): Token | undefined {
  try {
    const answer = JSON.parse(Buffer.from(bytes).toString("utf8")) as Record<string, unknown> | null;
    const token = answer?.["token"] ?? answer?.["access_token"];
    const expires = answer?.["expires_in"];
    if (typeof token !== "string" || !/^[\x21-\x7e]{1,32768}$/.test(token)) return undefined;
    const said = typeof expires === "number" && expires > 0 ? expires : ARTIFACT_LIMITS.unsaidTokenSeconds;
    // A tenth earlier, so that it is still good when it arrives.
    return { token, seconds: Math.min(ARTIFACT_LIMITS.tokenSeconds, said * 0.9) };
  } catch {
    return undefined;
  }
}
