import { httpBatch, httpHeaders, httpRequest, httpStatus } from "./extism";
import { quote } from "./text";
import { parse, Value } from "./value";

/**
 * Asks servers that the policy grants. A step that asks is run again from its start when the answer is there: what it asks for
 * has to follow from its input and from earlier answers.
 */
export namespace http {
  /** Asks for a URL. */
  export function get(url: string): Response {
    return send(new Request(url));
  }

  /** Makes a request. */
  export function send(request: Request): Response {
    const body = httpRequest(request.json(false), request.body);
    const text = String.UTF8.decodeUnsafe(changetype<usize>(body), body.length);
    return new Response(httpStatus(), text, parse(httpHeaders(), "headers"));
  }

  /** Makes requests beside each other: the answers are in their order. On Sluice only. */
  export function batch(requests: Request[]): Response[] {
    if (requests.length == 0) return [];
    const texts = new Array<string>(requests.length);
    for (let i = 0; i < requests.length; i++) texts[i] = requests[i].json(true);
    const answers = parse(httpBatch(`[${texts.join(",")}]`), "answers").asList();
    const responses = new Array<Response>(answers.length);
    for (let i = 0; i < answers.length; i++) {
      const answer = answers[i];
      responses[i] = new Response(answer.whole("status"), answer.text("body", ""), answer.object("headers"));
    }
    return responses;
  }
}

/** What is asked for. */
export class Request {
  body: string = "";
  /** The name of the credential that the host is to add. */
  credential: string = "";
  private headers: string[] = [];

  constructor(
    readonly url: string,
    readonly method: string = "GET",
  ) {}

  header(name: string, value: string): Request {
    this.headers.push(`${quote(name)}:${quote(value)}`);
    return this;
  }

  /** The request as hosts read it: the fields and headers always in the same order. */
  json(withBody: bool): string {
    let json = `{"url":${quote(this.url)},"method":${quote(this.method)},"headers":{${this.headers.join(",")}}`;
    if (this.credential.length > 0) json += `,"credential":${quote(this.credential)}`;
    if (withBody && this.body.length > 0) json += `,"body":${quote(this.body)}`;
    return json + "}";
  }
}

/** What a request came to. */
export class Response {
  constructor(
    /** The status that the server answered with; 0 if there was no answer. */
    readonly status: i32,
    readonly body: string,
    private headers: Value,
  ) {}

  /** Whether the server did what it was asked. */
  get ok(): bool {
    return this.status >= 200 && this.status < 300;
  }

  /** Why there was no answer, such as `TimedOut`; empty if there was one. */
  get error(): string {
    return this.status == 0 ? this.header("sluice-error") : "";
  }

  /** A header by its name in lower case; empty if there is none. */
  header(name: string): string {
    return this.headers.text(name, "");
  }

  /** The body, understood as JSON. */
  get value(): Value {
    const bytes = new StaticArray<u8>(String.UTF8.byteLength(this.body));
    String.UTF8.encodeUnsafe(changetype<usize>(this.body), this.body.length, changetype<usize>(bytes));
    return parse(bytes, "the server's answer");
  }
}
