import type { LogLine } from "../../knowledge/index.ts";
import type { Step } from "../../policy/index.ts";
import { LIMITS } from "../../tenant/index.ts";

const decoder = new TextDecoder("utf-8");
const LINE_FEED = 0x0a;

/** Lines of one call, bounded in number and size; the last one says if there were more. */
export class Log {
  readonly lines: LogLine[] = [];
  #bytes = 0;
  #full = false;
  readonly #step: Step;
  /** What was printed since the last end of a line. */
  readonly #printed = { info: [] as Uint8Array[], warn: [] as Uint8Array[] };
  #printedBytes = 0;

  constructor(step: Step) {
    this.#step = step;
  }

  add(level: LogLine["level"], bytes: Uint8Array): void {
    if (this.#full) return;
    const room = LIMITS.logBytes - this.#bytes;
    if (this.lines.length >= LIMITS.logLines - 1 || bytes.length > room) {
      this.#full = true;
      this.lines.push({
        step: this.#step,
        level: "warn",
        text: "further lines were dropped: the log of a step is full",
      });
      return;
    }
    this.#bytes += bytes.length;
    // Control characters would forge lines and move cursors wherever the log is read.
    this.lines.push({ step: this.#step, level, text: decoder.decode(bytes).replaceAll(/\p{Cc}+/gu, " ") });
  }

  /** Takes what a guest prints, a line at a time. */
  print(level: "info" | "warn", bytes: Uint8Array): void {
    let from = 0;
    for (let at = bytes.indexOf(LINE_FEED); at >= 0 && !this.#full; at = bytes.indexOf(LINE_FEED, from)) {
      this.#keep(level, bytes.subarray(from, at));
      this.#flush(level);
      from = at + 1;
    }
    this.#keep(level, bytes.subarray(from));
  }

  /** Adds what was printed without an end of its line. */
  end(): void {
    for (const level of ["info", "warn"] as const) if (this.#printed[level].length > 0) this.#flush(level);
  }

  #keep(level: "info" | "warn", bytes: Uint8Array): void {
    if (this.#full || bytes.length === 0) return;
    this.#printedBytes += bytes.length;
    // Too much for the log already: that it is full is all that will be said.
    this.#printed[level].push(this.#printedBytes > LIMITS.logBytes ? TOO_MUCH : bytes.slice());
  }

  #flush(level: "info" | "warn"): void {
    this.add(level, Buffer.concat(this.#printed[level].splice(0)));
  }
}

/** Longer than any line may be. */
const TOO_MUCH = new Uint8Array(LIMITS.logBytes + 1);
