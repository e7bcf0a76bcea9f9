import { closeSync, openSync, readSync } from "node:fs";

/** The kernel counts a process's time in hundredths of a second on every Linux that Node runs on. */
const TICK_MS = 10;
const NANOSECONDS_A_MS = 1_000_000;
/** Fields of a `stat` file after the name, which may hold anything: user and system time. */
const USER = 11;
const SYSTEM = 12;

/**
 * Processor time of a process. A guest runs on the main thread; the runtime's other threads compile what it runs often and
 * collect garbage, whenever they get to it. So a step is measured by the main thread alone, and a tenant by all of them.
 */
export class CpuClock {
  readonly #main: Gauge;
  readonly #all: Gauge;

  /** `proc` is where the kernel shows its processes. */
  constructor(pid: number, proc = "/proc") {
    const thread = `${proc}/${pid}/task/${pid}`;
    // Exact to the nanosecond, where the kernel was built with it.
    this.#main = Gauge.of(`${thread}/schedstat`, nanoseconds) ?? Gauge.of(`${thread}/stat`, ticks) ?? NONE;
    this.#all = Gauge.of(`${proc}/${pid}/stat`, ticks) ?? NONE;
  }

  /** Milliseconds of the main thread since the process began; of one that is gone, what was seen last. */
  mainMs(): number {
    return this.#main.ms();
  }

  /** Milliseconds of all threads, never less than those of the main thread, which are counted more finely. */
  processMs(): number {
    return Math.max(this.#all.ms(), this.#main.ms());
  }

  close(): void {
    this.#main.close();
    this.#all.close();
  }
}

/** A file of the kernel that says how long something ran. Kept open, because it is looked at several times a pass. */
class Gauge {
  #file: number | undefined;
  readonly #text = Buffer.alloc(1_024);
  readonly #read: (text: string) => number;
  #lastMs = 0;

  constructor(file: number | undefined, read: (text: string) => number) {
    this.#file = file;
    this.#read = read;
  }

  /** Undefined if there is no such file: the process never started, or the kernel does not have it. */
  static of(path: string, read: (text: string) => number): Gauge | undefined {
    try {
      return new Gauge(openSync(path, "r"), read);
    } catch {
      return undefined;
    }
  }

  ms(): number {
    if (this.#file === undefined) return this.#lastMs;
    try {
      const length = readSync(this.#file, this.#text, 0, this.#text.length, 0);
      this.#lastMs = this.#read(this.#text.toString("latin1", 0, length));
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

const NONE = new Gauge(undefined, () => 0);

const nanoseconds = (text: string) => Number(text.slice(0, text.indexOf(" "))) / NANOSECONDS_A_MS;

function ticks(text: string): number {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ", SYSTEM + 1);
  return (Number(fields[USER]) + Number(fields[SYSTEM])) * TICK_MS;
}
