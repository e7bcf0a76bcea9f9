/** The guest had the host move more than its fuel is worth. */
export class FuelSpent extends Error {}

/** A byte that is copied out costs as much as an instruction: the copy is made anew, and collected later. */
const BYTES_A_FUEL = 1;

/** What a call costs for the bytes that the host moves for it. The module's own code and its calls are charged inside it. */
export class Fuel {
  /** What the step may burn. */
  readonly limit: number;
  /** Charged for bytes so far. */
  moved = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Charges a length before it is worked on. Throws `FuelSpent` above the limit. */
  move(bytes: number): void {
    this.moved += Math.ceil(bytes / BYTES_A_FUEL);
    if (this.moved > this.limit) throw new FuelSpent("the fuel is used up");
  }
}
