import { request, type Dispatcher } from "undici";
import { asFault, Fault, type FaultCode } from "../fault/index.ts";
import type { Observation, Sample } from "../knowledge/index.ts";
import type { PrometheusSource } from "../policy/index.ts";
import { LIMITS } from "./limits.ts";
import type { Shown } from "./shown.ts";

/** Where and how a source is asked. */
export interface Asked {
  readonly endpoint: URL;
  /** The connections of the policy's tenant. */
  readonly dispatcher: Dispatcher;
  /** Ends the request; it has the source's time-out already. */
  readonly signal: AbortSignal;
  /** The instant of the pass, which the observation carries. */
  readonly at: Date;
  /** What the request is authenticated by. */
  readonly shown: Shown;
}

/**
 * Asks a Prometheus once (`POST /api/v1/query`, at its own current time). Never throws: an empty result is no data, and
 * everything that is not a list of finite numbers is an error, so that no fault ever becomes a number.
 */
export async function prometheusSource(source: PrometheusSource, asked: Asked): Promise<Observation> {
  const at = asked.at.toISOString();
  try {
    const series = readSeries(readBody(await post(source, asked)), source);
    return series.length === 0 ? { noData: true, at } : { series, at };
  } catch (thrown) {
    const { code, message } = asFault(thrown);
    return { error: { code, message: `${source.name}: ${message}` }, at };
  }
}

async function post(
  { query, timeoutMs }: PrometheusSource,
  { endpoint, dispatcher, signal, shown }: Asked,
): Promise<string> {
  try {
    const { statusCode, body } = await request(new URL("/api/v1/query", endpoint), {
      method: "POST",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        accept: "application/json",
        ...shown.headers,
      },
      // Told as well, so that a query that nobody waits for any longer stops.
      body: new URLSearchParams({ query, timeout: `${timeoutMs}ms` }).toString(),
      dispatcher,
      signal,
    });
    if (statusCode !== 200 && statusCode !== 400 && statusCode !== 422) {
      await body.dump({ limit: LIMITS.dumpedBytes });
      // A redirect is not followed: the policy named this service and no other.
      throw unavailable(`it answered ${statusCode}${meaningOf(statusCode)}`);
    }
    const text = await readText(body);
    // An echo would be told in a condition, or handed to the algorithm as a label.
    if (shown.texts.some((secret) => text.includes(secret)))
      throw invalid("what it answered has the credential in it, and was thrown away");
    if (statusCode !== 200) throw invalid(`it refuses the query: ${saysOf(text)}`);
    return text;
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    if (signal.aborted) throw unavailable(`there was no answer within ${timeoutMs} ms`);
    throw unavailable(reasonOf(thrown));
  }
}

function meaningOf(statusCode: number): string {
  if (statusCode >= 300 && statusCode < 400) return ", a redirect";
  return statusCode === 401 || statusCode === 403 ? ": it wants another credential, or one at all" : "";
}

async function readText(body: Dispatcher.ResponseData["body"]): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early destroys the connection, and what else was to come with it.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LIMITS.answerBytes) throw invalid(`it answered with more than ${LIMITS.answerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const NO_ANSWER = "what it answered is not the answer of a Prometheus";

interface Result {
  readonly resultType: unknown;
  readonly result: unknown;
}

function readBody(text: string): Result {
  const answer = parse(text);
  const data = isRecord(answer) && answer["status"] === "success" ? answer["data"] : undefined;
  if (!isRecord(data)) throw invalid(NO_ANSWER);
  return { resultType: data["resultType"], result: data["result"] };
}

/** The numbers of a vector, a scalar, or the newest of each series of a range: that one says when it was measured. */
function readSeries({ resultType, result }: Result, source: PrometheusSource): Sample[] {
  if (resultType === "scalar") return [readSample({}, result, source)];
  if (!Array.isArray(result) || (resultType !== "vector" && resultType !== "matrix")) {
    const type = typeof resultType === "string" ? resultType.slice(0, 20) : "unknown";
    throw invalid(`a result of type ${type} is no list of numbers`);
  }
  if (result.length > LIMITS.series)
    throw invalid(`it answered with ${result.length} series; at most ${LIMITS.series} are read`);
  return result.map((one: unknown) => {
    if (!isRecord(one)) throw invalid(NO_ANSWER);
    const labels = readLabels(one["metric"]);
    const values = one["values"];
    return readSample(labels, Array.isArray(values) ? values.at(-1) : one["value"], source);
  });
}

function readSample(labels: Sample["labels"], pair: unknown, source: PrometheusSource): Sample {
  const [seconds, text] = Array.isArray(pair) ? (pair as unknown[]) : [];
  if (typeof seconds !== "number" || typeof text !== "string")
    throw invalid(`${spell(labels)} has no number, such as a histogram`);
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value))
    throw invalid(`the value of ${spell(labels)} is ${text.slice(0, 20)}, which is no finite number`);
  const at = new Date(seconds * 1_000);
  if (Number.isNaN(at.getTime())) throw invalid(`the time of ${spell(labels)} is no time`);
  const node = nodeOf(labels, source);
  return { labels, ...(node === undefined ? {} : { node }), value, at: at.toISOString() };
}

/** `Number` alone would take an empty text for 0 and `0x10` for 16. */
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function nodeOf(labels: Sample["labels"], { byLabel, node }: PrometheusSource): string | undefined {
  if (byLabel === undefined) return node;
  return Object.hasOwn(labels, byLabel) ? labels[byLabel] : undefined;
}

function readLabels(metric: unknown): Sample["labels"] {
  if (!isRecord(metric)) return {};
  // Object.fromEntries makes even `__proto__`, which is a legal label, a label and nothing more.
  return Object.fromEntries(
    Object.entries(metric).map(([name, value]) => {
      if (typeof value !== "string") throw invalid(NO_ANSWER);
      return [name, value];
    }),
  );
}

const spell = (labels: Sample["labels"]) =>
  printable(
    `{${Object.entries(labels)
      .map(([name, value]) => `${name}="${value}"`)
      .join(", ")}}`,
  );

function saysOf(text: string): string {
  try {
    const answer = parse(text);
    return isRecord(answer) && typeof answer["error"] === "string"
      ? printable(answer["error"])
      : "it does not say why";
  } catch {
    return "it does not say why";
  }
}

/** Fit for a status, a log line or a terminal. */
const printable = (text: string) => text.replace(/\p{C}+/gu, " ").slice(0, LIMITS.saysCharacters);

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid("what it answered is not JSON");
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

const reasonOf = (thrown: unknown) => {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : undefined;
  return `it could not be reached (${code ?? (thrown instanceof Error ? thrown.message : String(thrown))})`;
};

const failed = (code: FaultCode, retry: boolean) => (message: string) => new Fault(code, message, { retry });
const invalid = failed("SourceInvalid", false);
const unavailable = failed("SourceUnavailable", true);
