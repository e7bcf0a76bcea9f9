import { fail } from "./failure";
import { Request, Response } from "./http";
import { Value } from "./value";

/**
 * Asks Prometheus, or anything with its HTTP interface, for what only the algorithm can know to ask. What the policy can name is
 * better a source of it: the host reads that before the pass, and it costs no run.
 */
export namespace prometheus {
  /** A query at a time (`step.time`, so that the same pass always asks the same): for `http.send` and `http.batch`. */
  export function query(base: string, promql: string, time: string): Request {
    return new Request(`${base}/api/v1/query?query=${encodeURIComponent(promql)}&time=${encodeURIComponent(time)}`);
  }

  /** The series of an answer; none is no data. Fails where there is no answer, an error, or neither a vector nor a scalar. */
  export function vector(response: Response): Measured[] {
    if (response.status == 0) fail(`prometheus: ${response.error}`);
    const isAnswer = response.header("content-type").startsWith("application/json");
    if (!isAnswer) fail(`prometheus: answered ${response.status} and no JSON`);
    const answer = response.value;
    if (answer.text("status") != "success") fail(`prometheus: ${answer.text("error", "no reason is given")}`);
    const data = answer.object("data");
    const kind = data.text("resultType");
    if (kind == "scalar") return [new Measured(data, data.list("result")[1].asText())];
    if (kind != "vector") fail(`prometheus: the query gives a ${kind}, and a vector or a scalar is needed`);
    const result = data.list("result");
    const series = new Array<Measured>(result.length);
    for (let i = 0; i < result.length; i++) {
      series[i] = new Measured(result[i].object("metric"), result[i].list("value")[1].asText());
    }
    return series;
  }
}

/** One series of an answer of Prometheus. */
export class Measured {
  constructor(
    private labels: Value,
    /** Its value as it was told. */
    readonly text: string,
  ) {}

  /** Whether it is a number: Prometheus also tells `NaN`, `+Inf` and `-Inf`, which are none. */
  get isNumber(): bool {
    return isFinite(F64.parseFloat(this.text));
  }

  /** The number. Fails if it is none: ask `isNumber` first. */
  get number(): f64 {
    const x = F64.parseFloat(this.text);
    if (!isFinite(x)) fail(`prometheus: ${this.text} is no number: ask isNumber first`);
    return x;
  }

  /** A label; empty if it has none of that name. */
  label(name: string): string {
    return this.labels.text(name, "");
  }
}
