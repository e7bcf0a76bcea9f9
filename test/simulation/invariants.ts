import type { Disk } from "./knowledge.ts";
import type { ScaleWrite, Server } from "./server.ts";
import type { Simulated } from "./simulate.ts";

/** A period of the policies' rate, less what may pass between a decision and its write. */
const PERIOD_MS = 120_000;
const SLACK_MS = 40_000;

/** What no fault may bring about, checked after everything that happens. Each text says what was seen. */
export class Invariants {
  readonly broken: string[] = [];
  #seen = 0;

  /** Looks at the writes since the last look. */
  look(server: Server, disk: Disk, policies: readonly Simulated[]): void {
    for (; this.#seen < server.writes.length; this.#seen += 1) {
      const write = server.writes[this.#seen];
      const policy = policies.find(({ targets }) => write !== undefined && targets.includes(write.target));
      if (write === undefined || policy === undefined)
        this.#break(`a write to nobody's target: ${JSON.stringify(write)}`);
      else this.#check(write, policy, server, disk);
    }
  }

  #check(write: ScaleWrite, policy: Simulated, { writes }: Server, disk: Disk): void {
    const said = JSON.stringify(write);
    if (write.by !== `system:serviceaccount:${policy.namespace}:scaler`)
      this.#break(`not written as the tenant: ${said}`);
    if (write.to < policy.min || write.to > policy.max)
      this.#break(`outside ${policy.min} to ${policy.max}: ${said}`);
    if (write.from === write.to) this.#break(`nothing is changed: ${said}`);
    const node = policy.nodeOf(write.target);
    const decided = disk
      .of(policy.key)
      .some(({ decision }) => decision?.changes.some((one) => one.node === node && one.to === write.to));
    if (!decided) this.#break(`written before it was stored: ${said}`);
    if (policy.isHandled) return;
    const sinceMs = write.atMs - PERIOD_MS + SLACK_MS;
    const before =
      writes.find((one) => one.target === write.target && one.atMs > sinceMs)?.from ?? write.from;
    if (write.to - before > policy.upPods)
      this.#break(`${before} to ${write.to} within ${PERIOD_MS - SLACK_MS} ms: ${said}`);
  }

  #break(what: string): void {
    this.broken.push(what);
  }
}
