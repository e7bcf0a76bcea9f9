import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What a JobManager that is not one answers with: a status, and JSON or any text. */
export interface Reply {
  readonly status?: number;
  readonly body?: unknown;
  /** As it is, where `body` is not to be made JSON. */
  readonly text?: string;
  /** It takes the request and never answers. */
  readonly silent?: boolean;
}

/** A JobManager that says what a test wants, and remembers what it was asked. */
export interface StandIn extends AsyncDisposable {
  readonly url: URL;
  /** By `METHOD path` without its query; what is not here is 404. */
  readonly replies: Map<string, Reply | (() => Reply)>;
  /** Bodies of what was put, by path. */
  readonly puts: { readonly path: string; readonly body: unknown }[];
}

export const SOURCE_ID = "aa11aa11aa11aa11aa11aa11aa11aa11";
export const WORK_ID = "bb22bb22bb22bb22bb22bb22bb22bb22";
export const JOB_ID = "caf3caf3caf3caf3caf3caf3caf3caf3";

const vertex = (id: string, name: string, parallelism: number) => ({
  ...{ id, name, parallelism, maxParallelism: 128, status: "RUNNING", slotSharingGroupId: "g" },
  tasks: { RUNNING: parallelism },
});

/** A job of two vertices, `in` with one instance and `work` with two. */
export const jobReply = (changes: Readonly<Record<string, unknown>> = {}) => ({
  ...{ jid: JOB_ID, name: "clicks", state: "RUNNING", timestamps: { RUNNING: 1_700_000_000_000 } },
  vertices: [vertex(SOURCE_ID, "in", 1), vertex(WORK_ID, "work", 2)],
  plan: { nodes: [{ id: WORK_ID, inputs: [{ id: SOURCE_ID, ship_strategy: "HASH" }] }, { id: SOURCE_ID }] },
  ...changes,
});

const bound = (lowerBound: number, upperBound: number) => ({ parallelism: { lowerBound, upperBound } });

/** Starts one that has the job of `jobReply()` in the adaptive scheduler, with four slots. */
export async function standIn(): Promise<StandIn> {
  const replies: StandIn["replies"] = new Map<string, Reply | (() => Reply)>([
    ["GET /jobs/overview", { body: { jobs: [{ jid: JOB_ID, name: "clicks", state: "RUNNING" }] } }],
    [`GET /jobs/${JOB_ID}`, { body: jobReply() }],
    [`GET /jobs/${JOB_ID}/config`, { body: { "execution-config": { "user-config": {} } } }],
    ["GET /jobmanager/config", { body: [{ key: "jobmanager.scheduler", value: "adaptive" }] }],
    [
      `GET /jobs/${JOB_ID}/resource-requirements`,
      { body: { [SOURCE_ID]: bound(1, 1), [WORK_ID]: bound(2, 2) } },
    ],
    ["GET /overview", { body: { "slots-total": 4, "slots-available": 2 } }],
    [`PUT /jobs/${JOB_ID}/resource-requirements`, { body: {} }],
  ]);
  const puts: { path: string; body: unknown }[] = [];
  const server = createServer((request, response) => {
    const path = request.url?.split("?")[0] ?? "";
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const sent = Buffer.concat(chunks).toString();
      if (request.method === "PUT") puts.push({ path, body: JSON.parse(sent) as unknown });
      const known = replies.get(`${request.method} ${path}`) ?? {
        status: 404,
        body: { errors: ["Not found."] },
      };
      const { status = 200, body, text, silent = false } = typeof known === "function" ? known() : known;
      if (!silent) response.writeHead(status).end(text ?? JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    ...{ url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), replies, puts },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
