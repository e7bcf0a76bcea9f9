import { Random } from "../fuzz/random.ts";
import { Load } from "./application.ts";
import { Invariants } from "./invariants.ts";
import { Disk } from "./knowledge.ts";
import { OperatorLife, type Surroundings } from "./operator.ts";
import { RESOURCES, Server } from "./server.ts";
import { World } from "./time.ts";
import { Trouble } from "./trouble.ts";

/** A policy of the simulation, and what is to hold of it. */
export interface Simulated {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly nodes: number;
  /** `<namespace>/<name>` of each node's Deployment. */
  readonly targets: readonly string[];
  readonly nodeOf: (target: string) => string;
  readonly min: number;
  readonly max: number;
  /** So many may be added within two minutes. */
  readonly upPods: number;
  /** Somebody else has scaled its targets, or turned the clock: its rates cannot be read from the writes any more. */
  isHandled: boolean;
}

/** What came of a seed. */
export interface Outcome {
  readonly seed: number;
  readonly broken: readonly string[];
  readonly writes: number;
  readonly lives: number;
  readonly simulatedMs: number;
}

const [POLICY, DEPLOYMENT] = RESOURCES as [(typeof RESOURCES)[number], (typeof RESOURCES)[number]];
const TROUBLES = 12;
/** Long enough for every back-off, window and rate to have passed. */
const CALM_MS = 25 * 60_000;

/** Runs an operator through the bad days of a seed, then through calm ones. The same seed does the same, bit for bit. */
export async function simulate(seed: number): Promise<Outcome> {
  const random = new Random(seed);
  const world = new World(random);
  const around: Surroundings = {
    world,
    server: new Server(world),
    trouble: new Trouble(random),
    disk: new Disk(),
    load: new Load(random),
  };
  const policies = Array.from({ length: 1 + random.below(3) }, (_, at) => install(around, at));
  const invariants = new Invariants();
  const startMs = world.nowMs;
  let lives = 1;
  let operator = new OperatorLife(around, 0);
  // One at a time: what is started again later than the next one is not started.
  const next = (life = lives) => {
    if (life !== lives) return;
    lives += 1;
    operator.kill();
    const offMs = random.pick([0, 0, 0, 3_600_000, -3_600_000]);
    // Where the clock jumps, so do the periods of the rates.
    if (offMs !== 0) for (const policy of policies) policy.isHandled = true;
    operator = new OperatorLife(around, offMs);
  };
  for (let trouble = 0; trouble < TROUBLES; trouble += 1) {
    const untilMs = world.nowMs + 1_000 + random.below(120_000);
    await through(world, untilMs, () => invariants.look(around.server, around.disk, policies));
    const life = lives;
    happen(around, policies, {
      kill: () => operator.kill(),
      stop: () => operator.stop(),
      next: () => next(life),
    });
  }
  calm(around, policies);
  next();
  const endMs = world.nowMs + CALM_MS;
  await through(world, endMs, () => invariants.look(around.server, around.disk, policies));
  const broken = [...invariants.broken, ...policies.flatMap((policy) => unsettled(around, policy))];
  return { seed, broken, writes: around.server.writes.length, lives, simulatedMs: world.nowMs - startMs };
}

/** Lets time pass in small steps, and looks after each. */
async function through(world: World, untilMs: number, look: () => void): Promise<void> {
  while (world.nowMs < untilMs) {
    await world.run(Math.min(untilMs, world.nowMs + 30_000));
    look();
  }
}

function install({ server, load, world }: Surroundings, at: number): Simulated {
  const { random } = world;
  const namespace = `team-${at}`;
  const nodes = 1 + random.below(3);
  const names = Array.from({ length: nodes }, (_, node) => `n${node}`);
  const [max, upPods] = [8 + random.below(20), 2 + random.below(6)];
  for (const name of names) {
    server.create(DEPLOYMENT, namespace, `d-${name}`, { spec: { replicas: 1 + random.below(max) } });
    load.turn(`${namespace}/p/${name}`, max);
  }
  const windowSeconds = random.pick([0, 60, 300]);
  server.create(POLICY, namespace, "p", {
    spec: {
      serviceAccountName: "scaler",
      target: {
        kubernetes: {
          nodes: names.map((name) => ({
            name,
            ref: { apiVersion: "apps/v1", kind: "Deployment", name: `d-${name}` },
          })),
        },
      },
      algorithm: { artifact: "oci://registry.example/algorithm:1" },
      schedule: { interval: "15s" },
      guardrails: {
        bounds: { min: 1, max },
        behavior: {
          scaleUp: { policies: [{ type: "Pods", value: upPods, periodSeconds: 120 }] },
          scaleDown: { stabilizationWindowSeconds: windowSeconds },
        },
      },
    },
  });
  return {
    ...{ key: `${namespace}/p`, namespace, name: "p", nodes, min: 1, max, upPods, isHandled: false },
    targets: names.map((name) => `${namespace}/d-${name}`),
    nodeOf: (target) => target.slice(namespace.length + 3),
  };
}

interface Hands {
  readonly kill: () => void;
  readonly stop: () => void;
  readonly next: () => void;
}

/** One thing that goes wrong, or merely happens. */
function happen(around: Surroundings, policies: readonly Simulated[], { kill, stop, next }: Hands): void {
  const { world, server, trouble, disk, load } = around;
  const { random } = world;
  const policy = random.pick(policies);
  const target = random.pick(policy.targets).slice(policy.namespace.length + 1);
  const turn = () => {
    for (const name of policy.targets.map(policy.nodeOf)) load.turn(`${policy.key}/${name}`, policy.max + 5);
  };
  const happenings = [
    () => (kill(), next()),
    () => (kill(), world.after(random.below(60_000), next)),
    () => (stop(), world.after(random.below(60_000), next)),
    () => trouble.turn(),
    () => trouble.turn(),
    () => server.compact(),
    () => {
      policy.isHandled = true;
      server.edit(
        DEPLOYMENT,
        policy.namespace,
        target,
        (spec) => (spec["replicas"] = random.below(policy.max * 2)),
      );
    },
    () => rollout(world, server, policy, target),
    () => load.goWrong(random.pick([0, 1, 3])),
    () => (disk.isFull = !disk.isFull),
    () => (disk.isBroken = !disk.isBroken),
    turn,
    turn,
  ];
  random.pick(happenings)();
}

/** A rollout moves the version of a Deployment a few times a second for a while. */
function rollout(world: World, server: Server, { namespace }: Simulated, target: string): void {
  for (let at = 0; at < 40; at += 1) world.after(at * 150, () => server.touch(DEPLOYMENT, namespace, target));
}

/** Everything works again, and the load stays as it is. */
function calm({ trouble, disk, load, world }: Surroundings, policies: readonly Simulated[]): void {
  trouble.calm();
  Object.assign(disk, { isFull: false, isBroken: false });
  load.goWrong(0);
  for (const { key, targets, nodeOf, max } of policies)
    for (const target of targets) if (world.random.once(2)) load.turn(`${key}/${nodeOf(target)}`, max);
}

/** What is not as it should be after a calm time: every node has what is wanted, and its policy says that it is ready. */
function unsettled({ server, load }: Surroundings, policy: Simulated): string[] {
  const { status } = server.get(POLICY, policy.namespace, policy.name) as unknown as {
    status?: { conditions?: readonly { type: string; status: string; message: string }[] };
  };
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  const wrong = ready?.status === "True" ? [] : [`${policy.key} is not ready: ${JSON.stringify(ready)}`];
  for (const target of policy.targets) {
    const wanted = Math.min(policy.max, load.wanted(`${policy.key}/${policy.nodeOf(target)}`));
    const { replicas } = server.get(DEPLOYMENT, policy.namespace, target.slice(policy.namespace.length + 1))[
      "spec"
    ] as { replicas: number };
    if (replicas !== wanted) wrong.push(`${target} has ${replicas}, and ${wanted} is wanted`);
  }
  return wrong;
}
