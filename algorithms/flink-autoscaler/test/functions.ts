import { answer, Fields, read, Step } from "@sluice/pdk";
import { evaluatedOf, figure } from "../assembly/analysis";
import { Collector } from "../assembly/collect";
import { decide, scale } from "../assembly/decision";
import { Delay } from "../assembly/delay";
import {
  busyTime,
  capacity,
  Evaluated,
  edgeRate,
  outputRatio,
  setThresholds,
  trueRate,
} from "../assembly/evaluation";
import { Graph } from "../assembly/graph";
import { Options } from "../assembly/options";
import { inPeriod } from "../assembly/periods";
import { beyondQuota, slotsAfter } from "../assembly/quota";
import { Memory, remembered } from "../assembly/remembered";
import { restartSeconds } from "../assembly/restarts";
import { json } from "../assembly/sample";
import { scalability } from "../assembly/scalings";
import { Window } from "../assembly/window";

/**
 * Single functions of the algorithm, for the vectors that ask for a figure which no step answers. The arithmetic is that of
 * the module. The input is a step's, and `calls` beside it: what is asked for, one after the other.
 */
export function evaluate(): i32 {
  const step = read();
  const calls = step.value.list("calls");
  const results = new Array<string>(calls.length);
  for (let i = 0; i < calls.length; i++) results[i] = new Call(new Step(calls[i])).result().json;
  return answer(new Fields().raw("results", `[${results.join(",")}]`));
}

class Call {
  private readonly options: Options;
  private readonly graph: Graph;

  constructor(private readonly call: Step) {
    this.options = Options.of(call.config);
    this.graph = new Graph(call.topology);
  }

  result(): Fields {
    const name = this.call.value.text("function");
    if (name == "scale") return this.scale();
    if (name == "decide") return this.decide();
    if (name == "thresholds") return this.thresholds();
    if (name == "collect") return this.collect();
    if (name == "quota")
      return new Fields().flag(
        "exceeds",
        beyondQuota(this.graph, this.wholes("after"), this.options).length > 0,
      );
    if (name == "slots")
      return this.figure(
        <f64>slotsAfter(this.wholes("before"), this.wholes("after"), this.call.value.whole("used")),
      );
    if (name == "period")
      return new Fields().flag(
        "inside",
        inPeriod(this.call.value.text("expression"), this.call.value.number("localMs")),
      );
    return this.figure(this.number(name));
  }

  private number(name: string): f64 {
    const value = this.call.value;
    if (name == "restart") return restartSeconds(this.figures("lasted"), this.options);
    if (name == "scalability") return scalability(new Memory(this.call).past("v1"), this.options);
    if (name == "capacity")
      return capacity(
        value.number("target"),
        value.number("catchUp"),
        value.number("utilization"),
        value.flag("withRestart"),
        value.number("restart"),
        this.options,
      );
    const window = new Window(remembered(this.call.carry.object("window"), this.graph));
    if (name == "busyTime") return busyTime(window, 0, this.graph.vertices[0].parallelism, this.options);
    if (name == "trueRate")
      return trueRate(window, 0, figure(value, "busy"), figure(value, "rate"), this.options);
    const from = this.graph.place(value.text("from"));
    const to = this.graph.place(value.text("to"));
    if (name == "edgeRate") return edgeRate(this.graph, window, from, to, this.options);
    return outputRatio(this.graph, window, from, to, this.options);
  }

  private scale(): Fields {
    const value = this.call.value;
    const vertex = this.graph.vertices[this.graph.place("v1")];
    const scaled = scale(
      vertex,
      figure(value, "factor"),
      value.whole("least"),
      value.whole("most"),
      this.options.alignment,
    );
    return new Fields().number("parallelism", scaled.parallelism).flag("limited", scaled.limited);
  }

  private decide(): Fields {
    const vertex = this.graph.vertices[this.graph.place("v1")];
    const memory = new Memory(this.call);
    const seen = evaluatedOf(this.call.analyze.object("vertices").object("v1"));
    const restart = this.call.analyze.number("restartSeconds");
    const now = this.call.value.number("now");
    const decision = decide(vertex, seen, memory.past("v1"), memory.delay("v1"), restart, now, this.options);
    const fields = new Fields()
      .number("parallelism", decision.parallelism)
      .flag("outside", decision.outside)
      .raw("expected", json(decision.expected));
    const delay: Delay | null = decision.delay;
    return delay === null ? fields : fields.raw("delay", `[${delay.json}]`);
  }

  private collect(): Fields {
    const past = new Window(remembered(this.call.carry.object("window"), this.graph));
    return new Fields().raw(
      "sample",
      new Collector(this.call, this.graph, this.options).measure(0, past).json,
    );
  }

  private thresholds(): Fields {
    const value = this.call.value;
    const seen = new Evaluated();
    seen.target = figure(value, "target");
    seen.catchUp = figure(value, "catchUp");
    setThresholds(seen, value.flag("backlog"), value.number("restart"), this.options);
    return new Fields().raw("up", json(seen.scaleUpBelow)).raw("down", json(seen.scaleDownAbove));
  }

  private figure(x: f64): Fields {
    return new Fields().raw("figure", json(x));
  }

  private wholes(name: string): i32[] {
    const list = this.call.value.list(name);
    const wholes = new Array<i32>(list.length);
    for (let i = 0; i < list.length; i++) wholes[i] = list[i].asWhole();
    return wholes;
  }

  private figures(name: string): f64[] {
    const list = this.call.value.list(name);
    const figures = new Array<f64>(list.length);
    for (let i = 0; i < list.length; i++) figures[i] = list[i].asNumber();
    return figures;
  }
}
