import { asFault, Fault } from "../fault/index.ts";
import type { Journal, JournalEntry, LogLine } from "../knowledge/index.ts";
import { PassEnded, type PassAnswers } from "../loop/index.ts";
import type { Step } from "../policy/index.ts";
import { LIMITS } from "../tenant/index.ts";
import { lost, readEffect, readFuel, readLogs } from "./answer.ts";
import { perform, readRequests, type Asked, type Perform } from "./effects.ts";
import { journalOf, record } from "./journal.ts";
import type { StepLimits, StepModule, StretchUse } from "./message.ts";

/** A pass as it is asked of a sandbox: from its first step that has no answer yet, with what is known by now. */
export interface Question {
  readonly steps: readonly StepModule[];
  readonly texts: Readonly<Record<string, string>>;
  readonly limits: StepLimits;
  readonly effects: boolean;
}
/** What a sandbox made of it: all the answers, or those before the step that waits for an effect or failed. */
export interface Round {
  readonly texts: Readonly<Record<string, string>>;
  readonly suspended: boolean;
  /** Why it ended there, if a step failed or the sandbox was lost. */
  readonly fault?: Fault | undefined;
  readonly cpuMs: number;
  /** What the last step that ran has used. */
  readonly used: StretchUse;
}
/** What the rounds of a pass need to know of it. */
export interface RoundsOrder {
  readonly steps: readonly StepModule[];
  readonly texts: Readonly<Record<string, string>>;
  readonly limits: StepLimits;
  readonly effects?: Perform | undefined;
  /** The journal of an earlier pass, which this one has to keep to. */
  readonly recorded?: Journal | undefined;
}
/**
 * Runs a pass in as many rounds as it has effects, and one more. Between two rounds nothing of the pass is in a sandbox: what
 * was answered is here, and the next round may be made by another process. Throws `PassEnded` with what there was by then.
 */
export async function runRounds(
  order: RoundsOrder,
  ask: (question: Question) => Promise<Round>,
): Promise<PassAnswers> {
  const pass = new PassUnderWay(order);
  try {
    for (;;) {
      const round = await againIfLost(() => ask(pass.question()), pass.hasEffects);
      const asked = pass.hear(round);
      if (asked === undefined) return pass.result();
      await pass.have(asked);
    }
  } catch (thrown) {
    throw new PassEnded(asFault(thrown), pass.result());
  }
}

/** A round whose process was killed under it is asked once more: no effect is had twice, since the journal is here. */
async function againIfLost(ask: () => Promise<Round>, again: boolean): Promise<Round> {
  try {
    const round = await ask();
    return again && round.fault?.code === "SandboxLost" ? await ask() : round;
  } catch (thrown) {
    if (!again || !(thrown instanceof Fault) || thrown.code !== "SandboxLost") throw thrown;
    return ask();
  }
}

class PassUnderWay {
  readonly #order: RoundsOrder;
  readonly #answers: Partial<Record<Step, string>> = {};
  readonly #logs: LogLine[] = [];
  readonly #fuel: Partial<Record<Step, number>> = {};
  readonly #journal: Partial<Record<Step, JournalEntry[]>> = {};
  #carry: string | undefined;
  #cpuMs = 0;
  #left: readonly StepModule[];
  /** What the step that waits may still use. */
  #budget: StepLimits["left"];
  #had = 0;

  constructor(order: RoundsOrder) {
    this.#order = order;
    this.#left = order.steps;
    for (const { step } of order.steps) this.#journal[step] = [...(order.recorded?.[step] ?? [])];
  }

  get hasEffects(): boolean {
    return this.#had > 0;
  }

  question(): Question {
    const { texts, limits, effects, recorded } = this.#order;
    const journal = journalOf(
      this.#journal,
      this.#left.map(({ step }) => step),
    );
    return {
      steps: this.#left,
      texts: {
        ...texts,
        ...this.#answers,
        ...(journal === undefined ? {} : { journal: JSON.stringify(journal) }),
      },
      limits: this.#budget === undefined ? limits : { ...limits, left: this.#budget },
      effects: effects !== undefined || recorded !== undefined,
    };
  }

  /** Takes in what a round brought; returns what the step asks for that it ended at. Throws the fault that it ended with. */
  hear({ texts, suspended, fault, cpuMs, used }: Round): (Asked & { step: Step }) | undefined {
    this.#cpuMs += cpuMs;
    // A sandbox that was killed leaves nothing behind.
    if (fault !== undefined && texts["logs"] === undefined) throw fault;
    const asked = suspended ? readEffect(texts["effect"]) : undefined;
    const open = this.#left.findIndex(({ step }) =>
      fault === undefined ? step === asked?.step : texts[step] === undefined,
    );
    const end = open < 0 && asked === undefined ? this.#left.length : open;
    for (const { step } of this.#left.slice(0, Math.max(0, end))) {
      const text = texts[step];
      if (text === undefined) throw lost();
      this.#answers[step] = text;
    }
    if (end < 0) throw lost();
    this.#left = this.#left.slice(end);
    this.#logs.push(...readLogs(texts["logs"]));
    Object.assign(this.#fuel, readFuel(texts["fuel"]));
    this.#carry = texts["carry"] ?? this.#carry;
    if (fault !== undefined) throw fault;
    if (asked !== undefined) this.#charge(asked.step, used);
    return asked;
  }

  /** Has the effect that a step asks for, and adds it to the step's journal. */
  async have({ step, ...asked }: Asked & { step: Step }): Promise<void> {
    const { effects } = this.#order;
    if (effects === undefined)
      throw new Fault("Nondeterministic", `${step} asks for more than its journal holds`);
    const requests = readRequests(asked);
    const journal = (this.#journal[step] ??= []);
    const had = journal.reduce((all, { answers }) => all + answers.length, 0);
    if (had + requests.length > LIMITS.effects)
      throw new Fault("EffectDenied", `${step} made more than ${LIMITS.effects} requests`);
    const began = performance.now();
    journal.push(
      await within(this.#budget?.wallMs ?? 0, step, (signal) => perform(asked, requests, effects, signal)),
    );
    this.#had += 1;
    this.#charge(step, { cpuMs: 0, wallMs: performance.now() - began });
  }

  result(): PassAnswers {
    const journal =
      journalOf(
        this.#journal,
        this.#order.steps.map(({ step }) => step),
      ) ?? {};
    return {
      answers: this.#answers,
      carry: this.#carry,
      logs: this.#logs,
      cpuMs: this.#cpuMs,
      fuel: this.#fuel,
      ...record(journal),
    };
  }

  /** All runs of a step, and its effects, share what one run without effects may use. */
  #charge(step: Step, { cpuMs, wallMs }: StretchUse): void {
    const { limits } = this.#order;
    const before =
      this.#budget?.step === step ? this.#budget : { cpuMs: limits.cpuMs, wallMs: limits.wallMs[step] };
    this.#budget = { step, cpuMs: before.cpuMs - cpuMs, wallMs: before.wallMs - wallMs };
    if (this.#budget.cpuMs <= 0)
      throw overran(`all runs of ${step} together used more than ${limits.cpuMs} ms of processor time`);
    if (this.#budget.wallMs <= 0) throw overranWall(step);
  }
}

/** Waits for an effect for as long as the step has time left, whether or not who has it keeps to that. */
async function within<T>(wallMs: number, step: Step, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ended = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(overranWall(step));
      ended.abort();
    }, wallMs);
  });
  try {
    return await Promise.race([work(ended.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

const overran = (message: string) => new Fault("DeadlineExceeded", message);
const overranWall = (step: Step) => overran(`${step} and its effects took longer than they may`);
