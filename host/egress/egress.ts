import { deniedNow, refusedOutside, type AddressCheck } from "./address.ts";
import { Budgets } from "./budget.ts";
import { NO_SECRET, secretFor, tells } from "./credential.ts";
import { denied, Undone, type EffectError } from "./denial.ts";
import { originOf } from "./destination.ts";
import { exchange, type Received } from "./exchange.ts";
import type { Grant } from "./grant.ts";
import { answerHeaders, generalHeaders, readHeaders, type Headers } from "./headers.ts";
import { LIMITS } from "./limits.ts";
import { isSafe, readMethod, type EffectRequest, type Method } from "./request.ts";
import { clusterNames, publicNames, type Resolve } from "./resolve.ts";
import { placeOf, routeTo, type Endpoint, type Network, type Place } from "./route.ts";

export interface EgressOptions {
  readonly endpoint: Endpoint;
  /** Addresses and networks that nobody reaches: the API server's own, the nodes'. */
  readonly denied?: () => readonly string[];
  readonly resolve?: Resolve;
  readonly resolveService?: Resolve;
  /** Authorities in PEM that are trusted besides those the runtime brings along. */
  readonly ca?: string;
  /** A clock for budgets; it never jumps. */
  readonly elapsedMs?: () => number;
  readonly totalMs?: number;
}

/** What a request came to. Either is written to the journal, and the algorithm sees it. */
export type Answer =
  | { readonly status: number; readonly headers: Headers; readonly body: Uint8Array }
  | { readonly error: EffectError; readonly message: string };

/** Makes requests on behalf of policies. */
export interface Egress {
  /**
   * Makes one request. Throws `EffectDenied` for what is not granted, what the endpoint throws, and the signal's reason
   * once nobody waits any longer; everything else that can go wrong is an answer.
   */
  perform(request: EffectRequest, grant: Grant, signal: AbortSignal): Promise<Answer>;
}

/** The way out of the cluster, and to services inside it. */
export const egress = (options: EgressOptions): Egress => {
  const never = deniedNow(options.denied ?? (() => NOBODY));
  return egressPast(options, never, refusedOutside(never));
};

const NOBODY: readonly string[] = [];

/** The same with another idea of what is outside: how a test stays on its own machine. It is not in the door. */
export function egressPast(options: EgressOptions, never: AddressCheck, refused: AddressCheck): Egress {
  const { elapsedMs = () => performance.now(), totalMs = LIMITS.totalMs } = options;
  const way: Way = {
    network: {
      endpoint: options.endpoint,
      publicNames: options.resolve ?? publicNames,
      clusterNames: options.resolveService ?? clusterNames,
      denied: never,
      refusedOutside: refused,
    },
    budgets: new Budgets(elapsedMs),
    ca: options.ca,
  };
  return {
    perform: (request, grant, signal) =>
      within(totalMs, signal, (ended) => follow(way, request, grant, ended)),
  };
}

interface Way {
  readonly network: Network;
  readonly budgets: Budgets;
  readonly ca: string | undefined;
}

/** A request on its way; a redirect makes another one of it. */
interface Leg {
  readonly place: Place;
  readonly method: Method;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** The credential that the algorithm named. */
  readonly named: string | undefined;
  /** Whether it has been at another origin: from then on it is nobody's request. */
  readonly strayed: boolean;
}

async function within(
  totalMs: number,
  signal: AbortSignal,
  work: (ended: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  signal.throwIfAborted();
  const ended = new AbortController();
  const late = new Undone("TimedOut", `there was no answer within ${totalMs} ms`);
  const timer = setTimeout(() => ended.abort(late), totalMs);
  const leave = () => ended.abort(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  try {
    return await work(ended.signal);
  } catch (thrown) {
    if (!(thrown instanceof Undone)) throw thrown;
    return { error: thrown.error, message: thrown.message };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", leave);
  }
}

async function follow(way: Way, request: EffectRequest, grant: Grant, signal: AbortSignal): Promise<Answer> {
  const most = Math.min(grant.redirects ?? 0, LIMITS.redirects);
  let leg = firstLeg(request, grant);
  for (let followed = 0; ; followed++) {
    const { received, answer } = await send(way, leg, grant, signal);
    const location = redirectOf(received, leg.method);
    if (most === 0 || location === undefined) return answer;
    if (followed === most)
      throw new Undone("RedirectedTooOften", `the answer is another redirect after ${most}`);
    leg = nextLeg(leg, location, received.status, grant);
  }
}

function firstLeg(request: EffectRequest, grant: Grant): Leg {
  const method = readMethod(request);
  const { body, credential: named } = request;
  const place = placeOf(grant, method, request.url, named);
  return { place, method, headers: readHeaders(request.headers), body, named, strayed: false };
}

async function send(way: Way, leg: Leg, grant: Grant, signal: AbortSignal) {
  const meter = way.budgets.charge(grant);
  const { place } = leg;
  const use = leg.strayed ? undefined : place.credential;
  const secret =
    use === undefined
      ? NO_SECRET
      : await secretFor({ use, place, headers: leg.headers }, grant.credential, signal);
  const route = await routeTo(place, grant, way.network, signal);
  signal.throwIfAborted();
  const headers = { ...leg.headers, ...secret.header };
  const { method, body } = leg;
  const { identity } = secret;
  const received = await exchange({ ...route, method, headers, body, meter, ca: way.ca, identity, signal });
  const answer = { status: received.status, headers: answerHeaders(received.headers), body: received.body };
  if (tells(secret, answer.headers, answer.body))
    throw new Undone("SecretReturned", "the answer has the credential in it, and was thrown away");
  return { received, answer };
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Where a redirect leads. Only a request without a body is made again somewhere else. */
function redirectOf({ status, headers }: Received, method: Method): string | undefined {
  return REDIRECTS.has(status) && isSafe(method) && typeof headers.location === "string"
    ? headers.location
    : undefined;
}

/** The redirected request, checked as if it were the first; at another origin it keeps nothing that says who asks. */
function nextLeg(leg: Leg, location: string, status: number, grant: Grant): Leg {
  const origin = originOf(leg.place.destination);
  const { path, query } = leg.place.destination;
  const url = URL.parse(location, `${origin}${path}${query}`);
  if (url === null) throw denied(`${origin} answered ${status} and leads to no URL`);
  const place = placeOf(grant, leg.method, url.href, undefined);
  const to = originOf(place.destination);
  if (to === origin) return { ...leg, place: placeOf(grant, leg.method, url.href, leg.named) };
  if (leg.place.service !== undefined || place.service !== undefined)
    throw denied(`${origin} leads to ${to}: no redirect enters the cluster, and none leaves it`);
  if (leg.place.destination.scheme === "https" && place.destination.scheme === "http")
    throw denied(`${origin} leads to ${to}, which is not encrypted`);
  return { ...leg, place, headers: generalHeaders(leg.headers), named: undefined, strayed: true };
}
