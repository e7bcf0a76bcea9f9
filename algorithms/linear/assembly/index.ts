import { answer, Fields, figure, log, Node, Plan, read, seconds, series, Step, Value } from "@sluice/pdk";
import { lineThrough } from "./line";

/** What each node's rate will be after the look-ahead, for a planner that comes after. */
export function analyze(): i32 {
  const step = read();
  const nodes = new Fields();
  for (let i = 0; i < step.topology.nodes.length; i++) {
    const node = step.topology.nodes[i];
    const expected = expectedAt(step, node);
    if (isNaN(expected)) continue;
    const now = step.source(sourceOf(step)).sum(node.name);
    nodes.object(node.name, new Fields().number("forecast", expected).number("now", now));
  }
  return answer(new Fields().object("nodes", nodes));
}

/** As many instances as that rate needs, for policies without another planner. */
export function plan(): i32 {
  const step = read();
  const plan = new Plan();
  const settings = settingsOf(step);
  for (let i = 0; i < step.topology.nodes.length; i++) {
    const node = step.topology.nodes[i];
    const told = step.analyze.object("nodes").object(node.name);
    const expected = told.has("forecast") ? told.number("forecast") : expectedAt(step, node);
    if (isNaN(expected)) continue;
    const target = settings.number("targetPerInstance");
    const ahead = settings.number("lookAheadSeconds", 60);
    plan.want(
      node.name,
      Math.ceil(expected / target - 1e-9),
      `${figure(expected)}/s expected in ${figure(ahead)} s, at ${figure(target)}/s an instance`,
    );
  }
  return answer(plan);
}

/** Beside another algorithm, its settings stand under its own name. */
function settingsOf(step: Step): Value {
  return step.config.has("linear") ? step.config.object("linear") : step.config;
}

const sourceOf = (step: Step): string => settingsOf(step).text("source", "rates");

/** The rate after the look-ahead, not below zero, and at least what it is now where that is wanted; NaN where unknown. */
function expectedAt(step: Step, node: Node): f64 {
  const settings = settingsOf(step);
  const source = sourceOf(step);
  if (!step.source(source).has(node.name)) return nothing(node, `${source} has no value for it`);
  const all = series(step, source, node.name);
  const size = settings.whole("historySize", 6);
  const line = lineThrough(all.slice(max(0, all.length - size)));
  if (line === null) return nothing(node, "one value makes no line");
  const expected = line.at(seconds(step.time) + settings.number("lookAheadSeconds", 60));
  const least = settings.flag("atLeastNow", true) ? all[all.length - 1].value : 0;
  return Math.max(least, expected);
}

function nothing(node: Node, why: string): f64 {
  log.warn(`nothing is expected of ${node.name}: ${why}`);
  return NaN;
}
