import { closeSync, openSync, readSync } from "node:fs";

/** The kernel counts processor time in hundredths of a second on every Linux that Node runs on. */
const TICK_MS = 10;
/** Fields of /proc/<pid>/stat after the name, which may hold anything: user and system time of all threads. */
const USER = 11;
const SYSTEM = 12;

/** Processor time of a process, all its threads together. Kept open, because it is looked at several times a pass. */
export class CpuClock {
  #file: number | undefined;
  readonly #stat = Buffer.alloc(1_024);
  #lastMs = 0;

  constructor(pid: number) {
    try {
      this.#file = openSync(`/proc/${pid}/stat`, "r");
    } catch {
      // It never started; it has used nothing.
    }
  }

  /** Milliseconds since the process began; of one that is gone, what was seen last. */
  ms(): number {
    if (this.#file === undefined) return this.#lastMs;
    try {
      const length = readSync(this.#file, this.#stat, 0, this.#stat.length, 0);
      const stat = this.#stat.toString("latin1", 0, length);
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ", SYSTEM + 1);
      this.#lastMs = (Number(fields[USER]) + Number(fields[SYSTEM])) * TICK_MS;
    } catch {
      // The process is gone.
    }
    return this.#lastMs;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    // The number may soon be another file's.
    this.#file = undefined;
  }
}
