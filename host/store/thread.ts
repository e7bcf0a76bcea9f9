import { Worker } from "node:worker_threads";
import { Fault } from "../fault/index.ts";
import { LIMITS } from "./limits.ts";
import type { Answers, Backend, Call, Question, Said } from "./messages.ts";

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (fault: Fault) => void;
}

/** Our end of the thread that holds the file. A thread that ends is started again by the next question. */
export class StoreThread implements Backend {
  readonly #file: string;
  readonly #corrupt: (message: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #calls = 0;
  #closed = false;

  constructor(file: string, corrupt: (message: string) => void) {
    this.#file = file;
    this.#corrupt = corrupt;
  }

  /** Starts the thread; resolves when the file is open. Throws `StoreUnavailable` if it cannot be used. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker = this.#start({ resolve: () => resolve(), reject });
    });
  }

  /** The answer, after the transaction it belongs to is on disk. Throws `StoreUnavailable`. */
  ask<Kind extends Question["do"]>(question: Question & { readonly do: Kind }): Promise<Answers[Kind]> {
    if (this.#closed) return Promise.reject(unavailable("it is closed", false));
    if (this.#waiting.size >= LIMITS.waitingCalls) {
      return Promise.reject(unavailable(`${LIMITS.waitingCalls} calls are waiting already`));
    }
    this.#closed = question.do === "close";
    this.#calls += 1;
    const call: Call = { call: this.#calls, question };
    return new Promise((resolve, reject) => {
      this.#waiting.set(call.call, { resolve, reject });
      this.#worker ??= this.#start();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      this.#worker.postMessage(call);
    });
  }

  #start(opening?: Waiting): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), {
      workerData: { file: this.#file },
      // The thread needs no environment and none of the flags that the host was started with.
      env: {},
      execArgv: ["--no-warnings"],
      name: "store",
      resourceLimits: { maxOldGenerationSizeMb: LIMITS.threadHeapMb },
    });
    const lost = (message: string) => {
      if (this.#worker === worker) this.#worker = undefined;
      const fault = unavailable(message);
      opening?.reject(fault);
      for (const waiting of this.#waiting.values()) waiting.reject(fault);
      this.#waiting.clear();
    };
    worker.on("error", (failure) =>
      lost(`${this.#file}: ${failure instanceof Error ? failure.message : String(failure)}`),
    );
    worker.on("exit", () => lost("its thread ended"));
    worker.on("message", (said: Said) => {
      if ("opened" in said) opening?.resolve(undefined as never);
      else this.#heard(said);
    });
    return worker;
  }

  #heard({ replies, corrupt }: Extract<Said, { replies: unknown }>): void {
    for (const message of corrupt) this.#corrupt(message);
    for (const reply of replies) {
      const waiting = this.#waiting.get(reply.call);
      this.#waiting.delete(reply.call);
      if ("failed" in reply) waiting?.reject(unavailable(reply.failed));
      else waiting?.resolve(reply.answer as never);
    }
  }
}

/** Knowledge cannot be read or written now. */
export const unavailable = (message: string, retry = true) =>
  new Fault("StoreUnavailable", `Knowledge is not available: ${message}`, { retry });
