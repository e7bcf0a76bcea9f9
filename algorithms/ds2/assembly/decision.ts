import { figure, log, Step } from "@sluice/pdk";
import { evaluate, Operator, provision, sourceRatio } from "./dataflow";
import { Memory } from "./memory";
import { measured } from "./rates";
import { Settings } from "./settings";
import { Want } from "./want";

/** Where the steps of a policy are of several algorithms, each finds its config under its name. */
export const NAME = "ds2";
/** The largest parallelism that a plan can name. */
const LARGEST: f64 = 2147483647;

/** What DS2 wants of every operator that it can say something of, and what it has to remember for that. */
export class Decision {
  readonly wants: Want[] = [];
  readonly settings: Settings;
  readonly memory: Memory;

  constructor(step: Step) {
    const settings = new Settings(step.config.has(NAME) ? step.config.object(NAME) : step.config);
    const operators = measured(step, settings);
    evaluate(operators);
    this.settings = settings;
    this.memory = new Memory(step, operators, settings);
    const isWarm = this.memory.warmingUp == 0;
    let sized = 0;
    let isComplete = true;
    for (let i = 0; i < operators.length; i++) {
      const operator = operators[i];
      if (operator.unknown.length > 0) {
        log.warn(`${operator.name} is left as it is: ${operator.unknown}`);
        isComplete = false;
      } else if (operator.isSource) this.keep(operator);
      else {
        if (settings.fitted && isWarm && operator.ready == operator.parallelism) this.learn(operator, i);
        if (this.size(operator, i)) sized++;
        else isComplete = false;
      }
    }
    if (sized > 0) {
      this.correct(operators, isComplete && isWarm);
      this.pace();
    }
  }

  private keep(source: Operator): void {
    const now = <f64>source.parallelism;
    this.wants.push(new Want(source, now, now, `a source of ${figure(source.target)}/s keeps its instances`));
  }

  private learn(operator: Operator, place: i32): void {
    this.memory.curve(place).measure(operator.parallelism, operator.trueProcessing, this.memory.points);
  }

  private size(operator: Operator, place: i32): bool {
    const factor = this.settings.factor(operator.name);
    const exact = operator.optimal * (1 + factor);
    let reason = `${figure(operator.target)}/s at ${figure(operator.perInstance)}/s an instance`;
    if (factor > 0) reason += ` and ${figure(factor * 100)} % on top`;
    let instances = provision(operator.optimal, factor);
    const curve = this.memory.curve(place);
    if (this.settings.fitted && curve.size > 0) {
      const plain = instances;
      instances = curve.sufficient(operator.target * (1 + factor), plain);
      if (instances != plain)
        reason += ` would be ${figure(plain)}, and ${figure(instances)} by the curve of ${curve.size} measurements`;
    }
    if (instances > LARGEST) {
      log.warn(`${operator.name} is left as it is: ${reason} is more than any application can have`);
      return false;
    }
    this.wants.push(new Want(operator, instances, exact, reason));
    return true;
  }

  /**
   * What no instrumentation sees: all operators are as large as they have to be, and yet a source emits less than it is
   * offered. Then all are enlarged by that ratio, once; it holds until one of them wants to grow of itself.
   */
  private correct(operators: Operator[], isSure: bool): void {
    const threshold = this.settings.targetRateRatio;
    if (!isFinite(threshold)) return;
    if (this.grows()) this.memory.correction = 1;
    else if (isSure && this.memory.correction == 1) {
      const ratio = sourceRatio(operators);
      if (ratio > threshold) this.memory.correction = ratio;
    }
    const ratio = this.memory.correction;
    if (ratio == 1) return;
    for (let i = 0; i < this.wants.length; i++) {
      const want = this.wants[i];
      if (want.operator.isSource || want.instances * ratio > LARGEST) continue;
      want.instances = Math.ceil(ratio * want.instances);
      want.exact = want.instances;
      want.reason += `, times ${figure(ratio)}: so much more is offered to a source than it emitted`;
    }
  }

  private grows(): bool {
    for (let i = 0; i < this.wants.length; i++)
      if (this.wants[i].instances > this.wants[i].current) return true;
    return false;
  }

  /** Holds everything back while the application warms up, until there are enough answers, and for too small a change. */
  private pace(): void {
    const memory = this.memory;
    if (memory.warmingUp > 0) {
      const left = memory.warmingUp--;
      return this.hold(`the application warms up after a change: ${left} more ${left == 1 ? "pass" : "passes"}`);
    }
    if (memory.answers < this.settings.activation) memory.answers++;
    const missing = this.settings.activation - memory.answers;
    if (missing > 0) return this.hold(`${missing} more ${missing == 1 ? "answer is" : "answers are"} awaited`);
    if (!this.isWorthIt())
      this.hold(`fewer than ${this.settings.minDecrease} instances less are not worth a change`);
  }

  private hold(why: string): void {
    for (let i = 0; i < this.wants.length; i++) this.wants[i].hold(why);
  }

  private isWorthIt(): bool {
    const least = <f64>this.settings.minDecrease;
    for (let i = 0; i < this.wants.length; i++) {
      const change = this.wants[i].instances - this.wants[i].current;
      if (change > 0 || -change >= least) return true;
    }
    return false;
  }
}
