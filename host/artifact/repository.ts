import type { Ask, Authority } from "./authority.ts";
import type { Digest } from "./digest.ts";
import { ARTIFACT_LIMITS } from "./limits.ts";
import { ACCEPTED, type Descriptor } from "./manifest.ts";
import type { Content, Document } from "./pull.ts";
import { invalid, mismatched, refusal, unavailable } from "./refusal.ts";
import { discard, header, receive, type Answer, type Message, type Received, type Wire } from "./wire.ts";

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** One repository of a registry, as one caller sees it during one pull or push. */
export class Repository implements Content {
  readonly name: string;
  readonly #ask: Ask;
  readonly #wire: Wire;
  readonly #authority: Authority;
  readonly #signal: AbortSignal;

  constructor(ask: Ask, wire: Wire, authority: Authority, signal: AbortSignal) {
    this.name = ask.name;
    this.#ask = ask;
    this.#wire = wire;
    this.#authority = authority;
    this.#signal = signal;
  }

  /** A place in this repository. */
  at(path: string): URL {
    return new URL(`/v2/${this.#ask.repository}/${path}`, this.#ask.origin);
  }

  /** Where an answer of this registry points to. Undefined if that is not a URL. */
  pointedTo(answer: Answer, from: URL): URL | undefined {
    const location = header(answer, "location");
    return location === undefined ? undefined : (URL.parse(location, from.href) ?? undefined);
  }

  /** Whether this repository's credentials may be sent there. */
  owns(url: URL): boolean {
    return url.origin === this.#ask.origin.origin && url.username === "" && url.password === "";
  }

  /** Sends with this caller's credentials, which the registry's own origin alone ever sees. */
  async send(message: Message): Promise<Answer> {
    const known = this.#authority.known(this.#ask);
    const first = await this.#sendAs(message, known);
    if (first.statusCode !== 401) return first;
    await discard(first);
    const challenge = header(first, "www-authenticate") ?? "";
    return this.#sendAs(message, await this.#authority.answer(this.#ask, challenge, this.#signal));
  }

  /** The answer if its status is one of these. Throws what another status means. */
  async expect(message: Message, ...statuses: readonly number[]): Promise<Answer> {
    return this.#expected(await this.send(message), statuses);
  }

  async manifest(selector: string): Promise<Document> {
    const answer = await this.expect(
      { method: "GET", url: this.at(`manifests/${selector}`), headers: { accept: ACCEPTED } },
      200,
    );
    const received = await this.#receive(answer, ARTIFACT_LIMITS.manifestBytes);
    if (received === undefined)
      throw invalid(this.name, `has a manifest of more than ${ARTIFACT_LIMITS.manifestBytes} bytes`);
    const promised = header(answer, "docker-content-digest");
    if (promised !== undefined && promised !== received.digest) {
      throw mismatched(this.name, "the manifest is not the one that the registry announced");
    }
    const mediaType = (header(answer, "content-type") ?? "").split(";", 1)[0]?.trim() ?? "";
    return { ...received, mediaType };
  }

  async blob({ digest, size }: Descriptor): Promise<Uint8Array> {
    const answer = await this.#follow({ method: "GET", url: this.at(`blobs/${digest}`) });
    const announced = header(answer, "content-length");
    if (announced !== undefined && announced !== String(size)) {
      await discard(answer);
      throw mismatched(this.name, `a layer of ${size} bytes was announced as ${announced} bytes`);
    }
    const received = await this.#receive(answer, size);
    if (received === undefined) throw mismatched(this.name, `a layer goes on after its ${size} bytes`);
    if (received.bytes.length < size) {
      throw mismatched(this.name, `a layer ended after ${received.bytes.length} of ${size} bytes`);
    }
    this.#same(received.digest, digest);
    return received.bytes;
  }

  #same(received: Digest, wanted: Digest): void {
    if (received !== wanted) throw mismatched(this.name, `${wanted} was asked for, and ${received} arrived`);
  }

  #sendAs(message: Message, authorization: string | undefined): Promise<Answer> {
    const headers = { ...message.headers, ...(authorization === undefined ? {} : { authorization }) };
    return this.#wire.send({ ...message, headers }, this.#signal);
  }

  /** Blobs may lie in a store elsewhere, which sees nothing of ours; from the first foreign hop on nothing is shown again. */
  async #follow(message: Message): Promise<Answer> {
    let { url } = message;
    let home = true;
    let answer = await this.send(message);
    for (let hop = 0; REDIRECTS.has(answer.statusCode); hop += 1) {
      await discard(answer);
      if (hop === ARTIFACT_LIMITS.redirects) {
        throw unavailable(
          this.name,
          `the registry redirects a layer more than ${ARTIFACT_LIMITS.redirects} times`,
        );
      }
      const next = this.pointedTo(answer, url);
      if (next === undefined || !this.#wire.permits(next)) {
        throw unavailable(
          this.name,
          "the registry redirects a layer to a place that is not safe to fetch from",
        );
      }
      url = next;
      home &&= this.owns(url);
      answer = home
        ? await this.send({ ...message, url })
        : await this.#sendAs({ ...message, url }, undefined);
    }
    return this.#expected(answer, [200]);
  }

  async #expected(answer: Answer, statuses: readonly number[]): Promise<Answer> {
    if (statuses.includes(answer.statusCode)) return answer;
    await discard(answer);
    throw refusal(this.name, answer.statusCode, header(answer, "retry-after"));
  }

  async #receive(answer: Answer, limitBytes: number): Promise<Received | undefined> {
    const encoding = header(answer, "content-encoding");
    if (encoding === undefined || encoding === "identity")
      return receive(answer, limitBytes, this.name, this.#wire);
    await discard(answer);
    throw invalid(this.name, "was sent compressed, which was not asked for");
  }
}
