import { Fault } from "../../host/fault/index.ts";
import type { Iteration, Past } from "../../host/knowledge/index.ts";
import type { Store } from "../../host/loop/index.ts";
import type { Life, World } from "./time.ts";

/** What is on the disk of a knowledge store: it outlives every program. */
export class Disk {
  /** Newest last. */
  readonly passes = new Map<string, Iteration[]>();
  isFull = false;
  isBroken = false;

  of(key: string): Iteration[] {
    const kept = this.passes.get(key) ?? [];
    this.passes.set(key, kept);
    return kept;
  }

  write(key: string, pass: Iteration): void {
    const kept = this.of(key);
    const known = kept.findIndex((one) => one.id === pass.id);
    const copy = JSON.parse(JSON.stringify(pass)) as Iteration;
    if (known === -1) kept.push(copy);
    else kept[known] = copy;
  }
}

const SUCCESSFUL = ["Unchanged", "Scaled", "PartlyScaled", "DryRun"];

/** The store of one life: what it has answered is on the disk, what it has not may be or not. */
export function storeOf(world: World, disk: Disk, life: Life): Store {
  const take = async () => {
    await world.sleep(1 + world.random.below(5));
    if (disk.isBroken) throw new Fault("StoreUnavailable", "the disk does not answer", { retry: true });
  };
  return {
    recall: (policy) =>
      life.answered(
        take().then((): Past => {
          const kept = disk.of(policy.key);
          const open = kept.findLast(({ outcome }) => outcome === "Open");
          const memory = kept.findLast((one) => one.memory !== undefined)?.memory;
          return {
            number: kept.at(-1)?.number ?? 0,
            carry: kept.findLast(({ outcome }) => SUCCESSFUL.includes(outcome))?.carry,
            history: [],
            open,
            ...(memory === undefined ? {} : { memory }),
          };
        }),
      ),
    remember: (policy, pass) =>
      life.answered(
        take().then(() => {
          if (disk.isFull) throw new Fault("StoreUnavailable", "the disk is full");
          if (!life.isOver || world.random.once(2)) disk.write(policy.key, pass);
          return world.sleep(1);
        }),
      ),
  };
}
