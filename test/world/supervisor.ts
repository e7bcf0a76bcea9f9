import { spawn } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { testworldBinary } from "./build.ts";

const POLL_MS = 50;
const LOG_TAIL_LINES = 15;

/** A process of the world. */
interface Member {
  readonly name: string;
  readonly pid: number;
}

/**
 * Owns the processes and the temporary directory of one part of the world. The real work is done by `testworld
 * supervise`, which reads our orders from a pipe. When the pipe closes (because we closed it, or because the kernel did
 * when this process died, `kill -9` included) it kills the processes, removes the directory and ends. Should it be killed
 * itself, the kernel kills its children with it.
 */
export interface Supervisor extends AsyncDisposable {
  readonly directory: string;
  /** Starts this applet of testworld, or `program` when given, under a name. */
  readonly start: (name: string, options: readonly string[], program?: string) => Promise<Member>;
  /** Kills a process at once and returns when it is gone. */
  readonly kill: (name: string) => Promise<void>;
  /** Returns when a URL answers with a status that `is` says is right; throws with the end of the log when it does not. */
  readonly ready: (name: string, url: string, check?: Readiness) => Promise<void>;
  /** Ends everything; after it neither process nor file is left. */
  readonly stop: () => Promise<void>;
}

/** When a server counts as ready. */
interface Readiness {
  /** The certificate authority in PEM, for a server that speaks TLS. */
  readonly ca?: string;
  readonly is?: (status: number) => boolean;
  readonly seconds?: number;
}

interface Report {
  readonly directory?: string;
  readonly started?: string;
  readonly refused?: string;
  readonly ended?: string;
  readonly pid?: number;
  readonly reason?: string;
}

/** Starts a supervisor with an empty temporary directory. */
export async function supervise(): Promise<Supervisor> {
  const child = spawn(await testworldBinary(), ["supervise"], { stdio: ["pipe", "pipe", "inherit"] });
  // An order to a supervisor that is gone is answered by its end below.
  child.stdin.on("error", () => undefined);
  const reports = new Reports();
  createInterface({ input: child.stdout }).on("line", (line) => reports.add(JSON.parse(line) as Report));
  const closed = new Promise<void>((resolve) => {
    child.once("close", resolve);
    child.once("error", () => resolve());
  }).then(() => reports.close());
  const { directory = "" } = await reports.next((report) => report.directory !== undefined);
  // It has removed the directory itself, unless it was killed.
  const gone = closed.then(() => rm(directory, { recursive: true, force: true }));
  const order = (content: object): void => void child.stdin.write(`${JSON.stringify(content)}\n`);

  const stop = async (): Promise<void> => {
    child.stdin.end();
    await gone;
  };
  return {
    directory,
    start: async (name, options, program = "") => {
      const answer = reports.next((report) => report.started === name || report.refused === name);
      order({ start: name, program, arguments: program === "" ? [name, ...options] : options });
      const { refused, reason = "", pid = 0 } = await answer;
      if (refused !== undefined) throw new Error(`${name} could not be started: ${reason}`);
      return { name, pid };
    },
    kill: async (name) => {
      if (!reports.isAlive(name)) return;
      const answer = reports.next((report) => report.ended === name);
      order({ stop: name });
      await answer;
    },
    ready: (name, url, check = {}) =>
      ready({ name, url, check, directory, isAlive: () => reports.isAlive(name) }),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** What the supervisor said, and who waits for it to say something. */
class Reports {
  #waiting: {
    matches: (report: Report) => boolean;
    resolve: (report: Report) => void;
    reject: (why: Error) => void;
  }[] = [];
  #alive = new Set<string>();
  #closed = false;

  next(matches: (report: Report) => boolean): Promise<Report> {
    return new Promise((resolve, reject) => {
      if (this.#closed) reject(new Error("the world's supervisor is gone"));
      else this.#waiting.push({ matches, resolve, reject });
    });
  }

  add(report: Report): void {
    if (report.started !== undefined) this.#alive.add(report.started);
    if (report.ended !== undefined) this.#alive.delete(report.ended);
    const met = this.#waiting.filter(({ matches }) => matches(report));
    this.#waiting = this.#waiting.filter((one) => !met.includes(one));
    for (const { resolve } of met) resolve(report);
  }

  isAlive(name: string): boolean {
    return this.#alive.has(name);
  }

  close(): void {
    this.#closed = true;
    this.#alive.clear();
    for (const { reject } of this.#waiting.splice(0)) reject(new Error("the world's supervisor is gone"));
  }
}

interface Awaited {
  readonly name: string;
  readonly url: string;
  readonly check: Readiness;
  readonly directory: string;
  readonly isAlive: () => boolean;
}

async function ready({ name, url, check, directory, isAlive }: Awaited): Promise<void> {
  const { ca, is = (status) => status === 200, seconds = 60 } = check;
  const deadline = Date.now() + seconds * 1_000;
  for (let status = 0; !is(status);) {
    if (!isAlive() || Date.now() > deadline) {
      const log = await readFile(join(directory, "logs", `${name}.log`), "utf8").catch(() => "");
      const why = isAlive() ? `did not answer ${url} within ${seconds} s (last status ${status})` : "ended";
      throw new Error(
        `${name} ${why}; the end of its log:\n${log.trim().split("\n").slice(-LOG_TAIL_LINES).join("\n")}`,
      );
    }
    await sleep(POLL_MS);
    status = await statusOf(url, ca);
  }
}

/** The status a URL answers with; 0 when it does not answer within a second. */
function statusOf(url: string, ca: string | undefined): Promise<number> {
  return new Promise((resolve) => {
    const send = url.startsWith("https:") ? requestTls : requestPlain;
    const call = send(
      url,
      { agent: false, timeout: 1_000, ...(ca === undefined ? {} : { ca }) },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      },
    );
    call.on("timeout", () => call.destroy(new Error("no answer")));
    call.on("error", () => resolve(0));
    call.end();
  });
}
