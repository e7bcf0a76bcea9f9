import { figure } from "@sluice/pdk";
import { Operator } from "./dataflow";

/** What DS2 wants of one operator, and why. */
export class Want {
  /** Whole instances, and the same before it was rounded up. */
  instances: f64;
  exact: f64;
  reason: string;

  constructor(
    readonly operator: Operator,
    instances: f64,
    exact: f64,
    reason: string,
  ) {
    this.instances = instances;
    this.exact = exact;
    this.reason = reason;
  }

  get current(): f64 {
    return <f64>this.operator.parallelism;
  }

  /** Leaves it as it is for now; one that wants what it has already is none the wiser. */
  hold(why: string): void {
    if (this.instances == this.current) return;
    this.reason += `: ${figure(this.instances)}, but ${why}`;
    this.instances = this.current;
    this.exact = this.current;
  }
}
