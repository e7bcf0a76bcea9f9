import { createHash } from "node:crypto";
import type { Offer } from "../admission/index.ts";
import type { Fuel } from "./fuel.ts";

/** The name that toolchains import the system's interface by: preview 1. */
export const WASI = "wasi_snapshot_preview1";

/** As costly as a function of the Extism interface: none of them does more than write a few numbers. */
const CALL_FUEL = 80;
const takes = (parameters: string): Offer => ({ signature: `${parameters} -> i32`.trim(), fuel: CALL_FUEL });

/** The system's interface, as modules import it. */
export const WASI_FUNCTIONS: Readonly<Record<string, Offer>> = {
  args_get: takes("i32 i32"),
  args_sizes_get: takes("i32 i32"),
  environ_get: takes("i32 i32"),
  environ_sizes_get: takes("i32 i32"),
  clock_res_get: takes("i32 i32"),
  clock_time_get: takes("i32 i64 i32"),
  fd_advise: takes("i32 i64 i64 i32"),
  fd_allocate: takes("i32 i64 i64"),
  fd_close: takes("i32"),
  fd_datasync: takes("i32"),
  fd_fdstat_get: takes("i32 i32"),
  fd_fdstat_set_flags: takes("i32 i32"),
  fd_fdstat_set_rights: takes("i32 i64 i64"),
  fd_filestat_get: takes("i32 i32"),
  fd_filestat_set_size: takes("i32 i64"),
  fd_filestat_set_times: takes("i32 i64 i64 i32"),
  fd_pread: takes("i32 i32 i32 i64 i32"),
  fd_prestat_get: takes("i32 i32"),
  fd_prestat_dir_name: takes("i32 i32 i32"),
  fd_pwrite: takes("i32 i32 i32 i64 i32"),
  fd_read: takes("i32 i32 i32 i32"),
  fd_readdir: takes("i32 i32 i32 i64 i32"),
  fd_renumber: takes("i32 i32"),
  fd_seek: takes("i32 i64 i32 i32"),
  fd_sync: takes("i32"),
  fd_tell: takes("i32 i32"),
  fd_write: takes("i32 i32 i32 i32"),
  path_create_directory: takes("i32 i32 i32"),
  path_filestat_get: takes("i32 i32 i32 i32 i32"),
  path_filestat_set_times: takes("i32 i32 i32 i32 i64 i64 i32"),
  path_link: takes("i32 i32 i32 i32 i32 i32 i32"),
  path_open: takes("i32 i32 i32 i32 i32 i64 i64 i32 i32"),
  path_readlink: takes("i32 i32 i32 i32 i32 i32"),
  path_remove_directory: takes("i32 i32 i32"),
  path_rename: takes("i32 i32 i32 i32 i32 i32"),
  path_symlink: takes("i32 i32 i32 i32 i32"),
  path_unlink_file: takes("i32 i32 i32"),
  poll_oneoff: takes("i32 i32 i32 i32"),
  proc_exit: { signature: "i32 ->", fuel: CALL_FUEL },
  proc_raise: takes("i32"),
  random_get: takes("i32 i32"),
  sched_yield: takes(""),
  sock_accept: takes("i32 i32 i32"),
  sock_recv: takes("i32 i32 i32 i32 i32 i32"),
  sock_send: takes("i32 i32 i32 i32 i32"),
  sock_shutdown: takes("i32 i32"),
};

const OK = 0;
const BAD_FILE = 8;
const FAULT = 21;
const INVALID = 28;
const NOT_OFFERED = 52;
const NOT_SEEKABLE = 70;

/** The guest ended itself, which a step does not do. */
export class Exited extends Error {}

/** What a call sees of the world: what the host says, and nothing that is measured. */
export interface WasiWorld {
  /** What the step begins at, milliseconds since 1970: the only time there is. */
  readonly timeMs: number;
  /** What chance is made of: the same for the same iteration and step. */
  readonly seed: string;
  /** Takes what the guest prints. */
  readonly print: (level: "info" | "warn", bytes: Uint8Array) => void;
}

const NANOSECONDS = 1_000_000n;
/** What the clock shows while a module initialises: the year 2000, since some runtimes take 0 for a broken clock. */
const BEGINNING_MS = Date.UTC(2000, 0);
const PIECES = 1_024;
const CHARACTER_DEVICE = 2;
const RIGHT_TO_WRITE = 0x40n;

/**
 * The system's interface for one call, without a system behind it: the clock stands at the iteration's time, chance follows
 * from the iteration and the step, nothing can be opened, sleeping takes no time, and what is printed goes to the log. While a
 * module initialises, time and chance are the same for every call.
 */
export class Wasi {
  readonly #world: WasiWorld;
  readonly #fuel: Fuel;
  #memory: WebAssembly.Memory | undefined;
  #open = false;
  #chance = new Chance("");

  constructor(world: WasiWorld, fuel: Fuel) {
    this.#world = world;
    this.#fuel = fuel;
  }

  /** The memory that addresses are of. */
  bind(memory: unknown): void {
    if (memory instanceof WebAssembly.Memory) this.#memory = memory;
  }

  /** From here on the step runs; what happened before was the module's initialisation. */
  open(): void {
    this.#open = true;
    this.#chance = new Chance(this.#world.seed);
  }

  /** Every function of the interface; those that reach for files, signals or sockets say that there are none. */
  readonly functions: Record<string, (...given: never[]) => unknown> = {
    ...NOTHING_THERE,
    args_get: () => OK,
    args_sizes_get: addressed((count: number, bytes: number) => this.#numbers([count, 0], [bytes, 0])),
    environ_get: () => OK,
    environ_sizes_get: addressed((count: number, bytes: number) => this.#numbers([count, 0], [bytes, 0])),
    clock_res_get: addressed((_clock: number, to: number) => this.#long(to, NANOSECONDS)),
    clock_time_get: addressed((_clock: number, _precision: bigint, to: number) =>
      this.#long(to, this.#now()),
    ),
    fd_close: (file: number) => (isPrinted(file) ? OK : BAD_FILE),
    fd_fdstat_get: addressed((file: number, to: number) => this.#fileStatus(file, to)),
    fd_seek: (file: number) => (isPrinted(file) ? NOT_SEEKABLE : BAD_FILE),
    fd_write: addressed((file: number, pieces: number, count: number, to: number) =>
      this.#print(file, pieces, count, to),
    ),
    poll_oneoff: addressed((from: number, to: number, count: number, events: number) =>
      this.#poll(from, to, count, events),
    ),
    proc_exit: (code: number) => {
      throw new Exited(`it ended itself with code ${code}, which a step does not do`);
    },
    random_get: addressed((to: number, length: number) => {
      this.#fuel.move(length >>> 0);
      this.#chance.fill(this.#bytes(to, length));
      return OK;
    }),
    sched_yield: () => OK,
  };

  #now(): bigint {
    return BigInt(this.#open ? Math.trunc(this.#world.timeMs) : BEGINNING_MS) * NANOSECONDS;
  }

  /** A part of the guest's memory. Throws `BadAddress` for one that is not in it. */
  #bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#within(at, length), at >>> 0, length >>> 0);
  }

  #view(at: number, length: number): DataView {
    return new DataView(this.#within(at, length), at >>> 0, length);
  }

  #within(at: number, length: number): ArrayBuffer {
    const memory = this.#memory?.buffer ?? NO_MEMORY;
    if ((at >>> 0) + (length >>> 0) > memory.byteLength) throw new BadAddress();
    return memory;
  }

  #numbers(...numbers: readonly (readonly [at: number, value: number])[]): number {
    for (const [at, value] of numbers) this.#view(at, 4).setUint32(0, value, true);
    return OK;
  }

  #long(at: number, value: bigint): number {
    this.#view(at, 8).setBigUint64(0, value, true);
    return OK;
  }

  #fileStatus(file: number, to: number): number {
    if (!isPrinted(file)) return BAD_FILE;
    const status = this.#view(to, 24);
    status.setBigUint64(0, BigInt(CHARACTER_DEVICE), true);
    status.setBigUint64(8, RIGHT_TO_WRITE, true);
    status.setBigUint64(16, 0n, true);
    return OK;
  }

  #print(file: number, pieces: number, count: number, to: number): number {
    if (!isPrinted(file)) return BAD_FILE;
    if (count >>> 0 > PIECES) return INVALID;
    let length = 0;
    for (let piece = 0; piece < count; piece += 1) {
      const at = this.#view((pieces >>> 0) + piece * 8, 8);
      const bytes = this.#bytes(at.getUint32(0, true), at.getUint32(4, true));
      this.#fuel.move(bytes.length);
      this.#world.print(file === 2 ? "warn" : "info", bytes);
      length += bytes.length;
    }
    return this.#numbers([to, length]);
  }

  /** Everything that is waited for has come: a subscription has 48 bytes, an event 32. */
  #poll(from: number, to: number, count: number, events: number): number {
    if (count === 0 || count >>> 0 > PIECES) return INVALID;
    for (let one = 0; one < count; one += 1) {
      const asked = this.#view((from >>> 0) + one * 48, 48);
      const event = this.#view((to >>> 0) + one * 32, 32);
      event.setBigUint64(0, asked.getBigUint64(0, true), true);
      event.setBigUint64(8, 0n, true);
      event.setUint8(10, asked.getUint8(8));
      event.setBigUint64(16, 0n, true);
      event.setBigUint64(24, 0n, true);
    }
    return this.#numbers([events, count]);
  }
}

const NO_MEMORY = new ArrayBuffer(0);
/** What every function answers that is not offered more. */
const NOTHING_THERE = Object.fromEntries(
  Object.keys(WASI_FUNCTIONS).map((name) => [
    name,
    () => (/^(fd|path)_/.test(name) ? BAD_FILE : NOT_OFFERED),
  ]),
);
/** An address that is not in the guest's memory. */
class BadAddress extends Error {}

/** A function that answers that an address is bad, and does not end the call for it. */
const addressed =
  (work: (one: never, two: never, three: never, four: never) => number) =>
  (one: never, two: never, three: never, four: never): number => {
    try {
      return work(one, two, three, four);
    } catch (thrown) {
      if (thrown instanceof BadAddress) return FAULT;
      throw thrown;
    }
  };
const isPrinted = (file: number) => file === 1 || file === 2;

/** A stream of bytes that follows from a seed: SHA-256 of the seed and a count. */
class Chance {
  readonly #seed: string;
  #count = 0;
  #block: Uint8Array = new Uint8Array();

  constructor(seed: string) {
    this.#seed = seed;
  }

  fill(to: Uint8Array): void {
    for (let at = 0; at < to.length;) {
      if (this.#block.length === 0) {
        this.#block = createHash("sha256").update(`${this.#seed} ${this.#count++}`).digest();
      }
      const taken = this.#block.subarray(0, to.length - at);
      to.set(taken, at);
      this.#block = this.#block.subarray(taken.length);
      at += taken.length;
    }
  }
}
