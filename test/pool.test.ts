import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { startEngine } from "../host/engine/index.ts";
import { Pool } from "../host/engine/supervisor/pool.ts";
import { Sandbox } from "../host/engine/supervisor/sandbox.ts";
import { OPEN } from "../host/engine/supervisor/walls.ts";
import { tenantKey } from "../host/policy/index.ts";
import { LIMITS } from "../host/tenant/index.ts";
import { bed, isAlive, processes, until, type Bed } from "./engine/bed.ts";
import { answering, digestOf, doing } from "./hostile/wat.ts";

const plan = '{"nodes":{}}';
const good = answering({ plan });
/** Some 10 ms of processor time. */
const busy = doing(
  "(local $i i32) (loop $more (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $more (i32.lt_u (local.get $i) (i32.const 10000000))))",
);
const endless = doing("(loop $l (br $l))");

const sandboxes = () => processes().flatMap(({ pid, program }) => (program === "sandbox" ? [pid] : []));
const supervisor = () => processes().find(({ program }) => program === "supervisor")?.pid ?? 0;
/** Children of the supervisor that have ended and that it has not collected. */
const zombies = () =>
  readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      return stat.includes(`) Z ${supervisor()} `);
    } catch {
      return false;
    }
  });

/** Every sandbox process that was seen while the work went on. */
async function seenDuring(work: () => Promise<unknown>): Promise<Set<number>> {
  const seen = new Set(sandboxes());
  const watch = setInterval(() => sandboxes().forEach((pid) => seen.add(pid)), 10);
  await work();
  clearInterval(watch);
  for (const pid of sandboxes()) seen.add(pid);
  return seen;
}
const LIMITED = {
  isolation: "tenant",
  sandboxes: 2,
  blanks: 1,
  waitingPerTenant: 10,
  waitMs: 20_000,
} as const;
const times = <T>(count: number, work: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => work(at));
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "ran",
    (fault: { code: string }) => fault.code,
  );
const runAs = (own: Bed, tenant: string) => own.run({ plan: good }, { tenant });

describe("with isolation by tenant", () => {
  test("forty passes of two tenants that arrive together take one process each, where only one may serve", async () => {
    await using own = await bed(1);
    await own.run({ plan: good });
    const seen = await seenDuring(() =>
      Promise.all(times(40, (at) => runAs(own, at % 2 === 0 ? "team-b" : "team-c"))),
    );
    // That of team-a, one for each of the two, and the blank that waits after them.
    expect(seen.size).toBeLessThanOrEqual(4);
  });

  test("a process that has served a tenant serves no other, in whatever order three come to one place", async () => {
    const pool = new Pool({ ...LIMITED, sandboxes: 1 }, () => new Sandbox(OPEN));
    const tenants = new Map<number, Set<string>>();
    for (const tenant of ["a", "b", "a", "a", "c", "b", "b", "a"]) {
      const lease = await pool.acquire(tenant, []);
      if (lease === undefined) throw new Error("there was no process");
      const { pid } = lease.sandbox;
      tenants.set(pid, (tenants.get(pid) ?? new Set()).add(tenant));
      pool.release(lease);
    }
    // a, b, a, c, b, a: where the same tenant comes twice in a row it has the same process.
    expect([...tenants.values()].map((one) => [...one].join())).toEqual(["a", "b", "a", "c", "b", "a"]);
    await pool.close();
  });

  test("blanks are started before anybody comes, and again when one is used", async () => {
    await using own = await bed(8, { blanks: 3 });
    // A start that takes longer than 3 s does not count, and another is begun.
    expect(await until(() => sandboxes().length >= 3)).toBe(true);
    await runAs(own, "team-a");
    expect(await until(() => sandboxes().length >= 4)).toBe(true);
    const started = sandboxes();
    await runAs(own, "team-a");
    expect(sandboxes().filter((pid) => !started.includes(pid))).toEqual([]);
  });

  test("a tenant's one pass comes in among a thousand of another's that has the only process", async () => {
    await using own = await bed(1);
    await own.run({ plan: busy }, { tenant: "thousand", fuel: 1e12 }).catch(() => undefined);
    let done = 0;
    const thousand = times(999, () =>
      codeOf(own.run({ plan: busy }, { tenant: "thousand", fuel: 1e12 })).then(() => (done += 1)),
    );
    await until(() => done > 0 && sandboxes().length === 2);
    const before = done;
    await runAs(own, "one");
    // A slice of 250 ms at some 10 ms each, and what runs while the blank is not ready yet.
    expect(done - before).toBeLessThan(300);
    expect(done).toBeLessThan(999);
    await own[Symbol.asyncDispose]();
    await Promise.all(thousand);
  });
});

describe("with shared processes", () => {
  test("a hundred tenants take the two processes that there are, and none is replaced between them", async () => {
    await using own = await bed(2, { isolation: "shared" });
    await runAs(own, "team-a");
    await until(() => sandboxes().length >= 2);
    const seen = await seenDuring(async () => {
      for (let at = 0; at < 40; at += 1) await runAs(own, `team-${at}`);
    });
    expect(seen.size).toBeLessThanOrEqual(3);
  });

  test("one tenant's pass waits for the one that runs of another's thousand, and not for those behind it", async () => {
    await using own = await bed(1, { isolation: "shared" });
    await own.run({ plan: busy }, { tenant: "thousand", fuel: 1e12 }).catch(() => undefined);
    await runAs(own, "one");
    let done = 0;
    const thousand = times(999, () =>
      codeOf(own.run({ plan: busy }, { tenant: "thousand", fuel: 1e12 })).then(() => (done += 1)),
    );
    await until(() => done > 0);
    const before = done;
    await runAs(own, "one");
    // The one that runs, and those whose answers were on their way: on a busy machine more than one.
    expect(done - before).toBeLessThanOrEqual(5);
    await own[Symbol.asyncDispose]();
    await Promise.all(thousand);
  });

  test("two tenants' modules that differ are two, even under one digest in one process, and each starts anew with every call", async () => {
    const digest = digestOf(good);
    const asked: string[] = [];
    const engine = await startEngine({
      sandboxes: 1,
      isolation: "shared",
      modules: async (tenant) => {
        asked.push(tenant);
        return answering({ plan: `{"for":"${tenant}"}` });
      },
    });
    const pass = async (tenant: string) => {
      const steps = [{ step: "plan" as const, digest }];
      const limits = { cpuMs: LIMITS.cpuMs, wallMs: LIMITS.wallMs };
      return (await engine.pass({ tenant: tenantKey(tenant), steps, texts: {}, limits })).answers.plan;
    };
    expect([await pass("a"), await pass("b"), await pass("a"), await pass("b")]).toEqual([
      '{"for":"a"}',
      '{"for":"b"}',
      '{"for":"a"}',
      '{"for":"b"}',
    ]);
    expect(asked).toEqual(["a", "b"]);
    await engine.close();
  });
});

describe.each(["tenant", "shared"] as const)("a sandbox process, isolation %s", (isolation) => {
  test("that is killed loses the pass that it was making, and none of those behind it", async () => {
    await using own = await bed(1, { isolation });
    await runAs(own, "team-a");
    const codes = Promise.all([
      codeOf(own.run({ plan: endless }, { cpuMs: 60_000, wallMs: 60_000, fuel: 1e12 })),
      ...times(20, () => codeOf(runAs(own, "team-a"))),
    ]);
    const serving = sandboxes();
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (const pid of serving) process.kill(pid, "SIGKILL");
    expect(await codes).toEqual(["SandboxLost", ...times(20, () => "ran")]);
    expect(await until(() => zombies().length === 0)).toBe(true);
  });

  test("that hangs is killed after its wall time, and the next pass is made by another", async () => {
    await using own = await bed(1, { isolation });
    await until(() => sandboxes().length === 1);
    // The blank that the first one gets.
    const [serving = 0] = sandboxes();
    await runAs(own, "team-a");
    process.kill(serving, "SIGSTOP");
    expect(await codeOf(own.run({ plan: good }, { wallMs: 300 }))).toBe("DeadlineExceeded");
    expect(await codeOf(runAs(own, "team-a"))).toBe("ran");
    expect(await until(() => !isAlive(serving))).toBe(true);
    expect(zombies()).toEqual([]);
  });

  test("that hangs before anybody has it costs whoever gets it one pass", async () => {
    await using own = await bed(1, { isolation });
    await until(() => sandboxes().length === 1);
    const [blank = 0] = sandboxes();
    // By then it has said that it is ready.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    process.kill(blank, "SIGSTOP");
    expect(await codeOf(runAs(own, "team-a"))).toBe("DeadlineExceeded");
    expect(await codeOf(runAs(own, "team-a"))).toBe("ran");
  });

  test("that is killed twenty times leaves no process and no zombie behind", async () => {
    await using own = await bed(2, { isolation });
    const codes = await Promise.all(
      times(20, (at) =>
        codeOf(own.run({ plan: endless }, { cpuMs: 20, fuel: 1e12, tenant: `team-${at % 4}` })),
      ),
    );
    expect(codes).toEqual(times(20, () => "DeadlineExceeded"));
    expect(await until(() => sandboxes().length <= 3)).toBe(true);
    expect(await until(() => zombies().length === 0)).toBe(true);
  });
});

describe("when no process can be started", () => {
  test("a pass waits until one can be: three times none can, twice one ends at once", async () => {
    let starts = 0;
    const pool = new Pool(LIMITED, () => {
      starts += 1;
      if (starts <= 3) throw Object.assign(new Error("spawn EAGAIN"), { code: "EAGAIN" });
      const sandbox = new Sandbox(OPEN);
      if (starts <= 5) sandbox.kill();
      return sandbox;
    });
    const lease = await pool.acquire("team-a", []);
    expect(lease?.sandbox.alive).toBe(true);
    expect(starts).toBeGreaterThanOrEqual(6);
    await pool.close();
  });

  test("it is refused after its time", async () => {
    const pool = new Pool({ ...LIMITED, waitMs: 100 }, () => {
      throw Object.assign(new Error("spawn EAGAIN"), { code: "EAGAIN" });
    });
    expect(await pool.acquire("team-a", [])).toBeUndefined();
    await pool.close();
  });
});
