import { Agent, request, type Dispatcher } from "undici";
import { asFault, Fault } from "../fault/index.ts";
import type { Policy, TenantKey } from "../policy/index.ts";
import { LIMITS } from "./limits.ts";

/** The address of the JobManager of a policy's target; it throws a fault if the policy may not use it. */
export type JobManagerAddress = (policy: Policy) => Promise<URL>;

/** The REST interface of one JobManager, as far as JSON goes over it. */
export interface FlinkRest {
  /** Throws `TargetNotFound` for what the JobManager does not know, and `TargetUnavailable` where it does not answer. */
  get(path: string): Promise<unknown>;
  /** Throws like `get`; any answer of success is one. */
  put(path: string, body: object): Promise<void>;
}

/** The JobManagers of all policies, over connections that are a tenant's own. */
export interface JobManagers {
  /** The JobManager of a policy's target; the signal ends its requests before their own time-out does. */
  of(policy: Policy, signal?: AbortSignal): Promise<FlinkRest>;
  close(): Promise<void>;
}

/** Reaches JobManagers where `address` says. */
export function jobManagers(address: JobManagerAddress): JobManagers {
  const agents = new Map<TenantKey, Agent>();
  return {
    async of(policy, signal) {
      const origin = await address(policy);
      const send = senderTo(origin, agentOf(agents, policy.tenant), signal);
      return {
        get: async (path) => parse(await send("GET", path)),
        put: async (path, body) => void (await send("PUT", path, JSON.stringify(body))),
      };
    },
    async close() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
      agents.clear();
    },
  };
}

type Send = (method: "GET" | "PUT", path: string, body?: string) => Promise<string>;

function senderTo(origin: URL, dispatcher: Dispatcher, signal: AbortSignal | undefined): Send {
  return async (method, path, body) => {
    const late = AbortSignal.timeout(LIMITS.requestMs);
    const ends = signal === undefined ? late : AbortSignal.any([signal, late]);
    try {
      const answer = await request(new URL(path, origin), {
        ...{ method, dispatcher, signal: ends },
        headers: { accept: "application/json", "content-type": "application/json" },
        ...(body === undefined ? {} : { body }),
      });
      return await textOf(answer, `${method} ${path}`);
    } catch (thrown) {
      if (thrown instanceof Fault) throw thrown;
      const why = ends.aborted ? "did not answer in time" : `could not be reached (${reasonOf(thrown)})`;
      throw unavailable(`The JobManager ${why}`);
    }
  };
}

async function textOf({ statusCode, body }: Dispatcher.ResponseData, what: string): Promise<string> {
  const isGood = statusCode >= 200 && statusCode < 300;
  const text = await read(body, isGood ? LIMITS.answerBytes : LIMITS.errorBytes);
  if (isGood && text !== undefined) return text;
  if (isGood) throw unavailable(`The JobManager answered ${what} with more than ${LIMITS.answerBytes} bytes`);
  const says = `The JobManager answered ${what} with ${statusCode}${saysOf(text ?? "")}`;
  if (statusCode === 404) throw new Fault("TargetNotFound", says, { retry: true, remedy: CORRECT });
  // A redirect is not followed: the policy named this service and no other.
  throw unavailable(says);
}

const CORRECT = "Start the job, or correct spec.target.flink.job.";

/** The body, or undefined if it is longer than that; leaving the loop ends the connection. */
async function read(body: Dispatcher.ResponseData["body"], mostBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Flink's errors are a list whose first entry is for people; the second is a stack. */
function saysOf(text: string): string {
  try {
    const { errors } = JSON.parse(text) as { errors?: unknown };
    const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
    const [line = ""] = typeof first === "string" ? first.split("\n") : [];
    return line === "" ? "" : `: ${line.replace(/\p{C}+/gu, " ").slice(0, LIMITS.saysCharacters)}`;
  } catch {
    return "";
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unavailable("What the JobManager answered is not JSON");
  }
}

/** The tenant's connections; the map's order is who was idle longest. */
function agentOf(agents: Map<TenantKey, Agent>, tenant: TenantKey): Agent {
  const { connections, idleMs: keepAliveTimeout, requestMs: timeout } = LIMITS;
  const agent = agents.get(tenant) ?? new Agent({ connections, keepAliveTimeout, connect: { timeout } });
  agents.delete(tenant);
  agents.set(tenant, agent);
  const [idlest] = agents.keys();
  if (agents.size > LIMITS.tenants && idlest !== undefined) {
    void agents.get(idlest)?.close();
    agents.delete(idlest);
  }
  return agent;
}

function reasonOf(thrown: unknown): string {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : undefined;
  return code ?? asFault(thrown).message;
}

/** The JobManager cannot be used now. */
export const unavailable = (message: string) => new Fault("TargetUnavailable", message, { retry: true });
