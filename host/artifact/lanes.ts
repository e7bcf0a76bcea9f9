/** Lets so many run at a time, and so many of one tenant; the others wait in their order. */
export class Lanes {
  readonly #most: number;
  readonly #mostPerTenant: number;
  readonly #running = new Map<string, number>();
  readonly #waiting: { tenant: string; go: () => void }[] = [];
  #count = 0;

  constructor(most: number, mostPerTenant: number) {
    this.#most = most;
    this.#mostPerTenant = mostPerTenant;
  }

  /** Does the work when its turn has come. */
  async run<T>(tenant: string, work: () => Promise<T>): Promise<T> {
    if (!this.#free(tenant)) await new Promise<void>((go) => this.#waiting.push({ tenant, go }));
    else this.#enter(tenant);
    try {
      return await work();
    } finally {
      this.#leave(tenant);
    }
  }

  #free(tenant: string): boolean {
    return this.#count < this.#most && (this.#running.get(tenant) ?? 0) < this.#mostPerTenant;
  }

  #enter(tenant: string): void {
    this.#count += 1;
    this.#running.set(tenant, (this.#running.get(tenant) ?? 0) + 1);
  }

  #leave(tenant: string): void {
    this.#count -= 1;
    const left = (this.#running.get(tenant) ?? 1) - 1;
    if (left === 0) this.#running.delete(tenant);
    else this.#running.set(tenant, left);
    const next = this.#waiting.findIndex((one) => this.#free(one.tenant));
    const [turn] = next < 0 ? [] : this.#waiting.splice(next, 1);
    if (turn === undefined) return;
    this.#enter(turn.tenant);
    turn.go();
  }
}
