import type { Disk } from "./knowledge.ts";
import type { ScaleWrite, Server } from "./server.ts";
import type { Simulated } from "./simulate.ts";

/** The period of the policies' rate, and what may pass between a decision and its write. */
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
    const start = Math.max(...around(writes, write));
    if (write.to > write.from && write.to - start > policy.upPods)
      this.#break(`${start} to ${write.to} within ${PERIOD_MS} ms: ${said}`);
  }

  #break(what: string): void {
    this.broken.push(what);
  }
}

/** What the target may have had when the period of its rate began. */
function around(writes: readonly ScaleWrite[], { target, atMs, from }: ScaleWrite): number[] {
  const own = writes.filter((one) => one.target === target && one.atMs <= atMs);
  const [sinceMs, untilMs] = [atMs - PERIOD_MS - SLACK_MS, atMs - PERIOD_MS + SLACK_MS];
  const first = own.find((one) => one.atMs > sinceMs)?.from ?? from;
  return [first, ...own.filter((one) => one.atMs > sinceMs && one.atMs <= untilMs).map(({ to }) => to)];
}
