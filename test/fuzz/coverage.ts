import { readFileSync } from "node:fs";
import { Session, type Profiler } from "node:inspector";
import { fileURLToPath } from "node:url";

/** The part of the host that an answer passes through. */
const WATCHED =
  /\/host\/(engine\/sandbox\/(json|input)|loop\/(loop|plan|guardrails|share)|contract\/check)\.ts$/;

/** A source of the host: which of its characters belong to functions, which have ever run, and which at a marked look. */
interface Source {
  readonly text: string;
  readonly inside: Uint8Array;
  readonly ever: Uint8Array;
  readonly marked: Uint8Array;
}

/** Which code of the host has run, as the runtime counts its blocks. */
export class Coverage {
  readonly #session = new Session();
  readonly #sources = new Map<string, Source>();

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
    this.reached({ mark: false });
  }

  /** Whether code ran since the last look that had not run at any look that was marked. */
  reached({ mark }: { readonly mark: boolean }): boolean {
    let taken: Profiler.TakePreciseCoverageReturnType | undefined;
    this.#session.post("Profiler.takePreciseCoverage", (_error, result) => (taken = result));
    let isNew = false;
    for (const { url, functions } of taken?.result ?? []) {
      if (!WATCHED.test(url)) continue;
      const source = this.#source(url);
      const ran = new Uint8Array(source.text.length);
      // The first function is the file itself. Ranges stand from the outer to the inner: each has the last word.
      for (const { ranges } of functions.slice(1)) {
        for (const [at, { startOffset, endOffset, count }] of ranges.entries()) {
          if (at === 0) source.inside.fill(1, startOffset, endOffset);
          ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
        }
      }
      for (const [at, one] of ran.entries()) {
        if (one === 1) source.ever[at] = 1;
        if (one === 0 || source.marked[at] === 1) continue;
        isNew = true;
        if (mark) source.marked[at] = 1;
      }
    }
    return isNew;
  }

  /** Lines of functions of which nothing has run, as `file:line`. */
  missed(): string[] {
    return [...this.#sources].flatMap(([url, { text, inside, ever }]) => {
      let at = 0;
      return text.split("\n").flatMap((line, index) => {
        const code = [...line.matchAll(/\w/g)].map((word) => at + word.index);
        at += line.length + 1;
        const isMissed = code.some((one) => inside[one] === 1) && code.every((one) => ever[one] === 0);
        return isMissed ? [`${url.slice(url.indexOf("/host/") + 1)}:${index + 1}`] : [];
      });
    });
  }

  /** Ends the counting, and with it what it costs; what was seen is kept. */
  close(): void {
    this.#session.post("Profiler.stopPreciseCoverage");
    this.#session.disconnect();
  }

  #source(url: string): Source {
    const known = this.#sources.get(url);
    if (known !== undefined) return known;
    const text = readFileSync(fileURLToPath(url), "utf8");
    const bytes = () => new Uint8Array(text.length);
    const made = { text, inside: bytes(), ever: bytes(), marked: bytes() };
    this.#sources.set(url, made);
    return made;
  }
}
