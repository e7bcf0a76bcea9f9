import { Fields, Step, Value } from "@sluice/pdk";
import { jobFields, vertexFields } from "./analysis";
import { Evaluation } from "./evaluation";
import { Graph } from "./graph";
import { Options } from "./options";
import { remembered } from "./remembered";
import { restartSeconds } from "./restarts";
import { Window } from "./window";

/** Evaluates the metric window: what every vertex is to process, and what it could. */
export function evaluate(step: Step): Fields {
  const options = Options.of(step.config);
  const graph = new Graph(step.topology);
  const seen = step.monitor.object("carry");
  const window = new Window(remembered(seen.object("window"), graph));
  const seconds = restartSeconds(restarts(seen), options);
  const answer = new Fields().number("restartSeconds", seconds);
  if (window.samples.length < 2) return answer;
  const evaluation = new Evaluation(graph, window, seconds, options);
  return answer
    .flag("backlog", evaluation.backlog)
    .object("vertices", vertexFields(graph, evaluation))
    .object("job", jobFields(window));
}

function restarts(seen: Value): f64[] {
  const rows = seen.list("restarts");
  const lasted = new Array<f64>(rows.length);
  for (let i = 0; i < rows.length; i++) lasted[i] = rows[i].asList()[1].asNumber();
  return lasted;
}
