import { answer, evenSeries, Fields, figure, log, Node, Plan, read, seconds, series, Step, Value } from "@sluice/pdk";
import { beginning, follow, forecast, Model, needed, Part, State } from "./smoothing";

const PARTS: string[] = ["none", "add", "mul"];

/** What each node's rate will be at the horizon, for a planner that comes after. */
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

/** As many instances as the forecast needs, for policies without another planner. */
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
    const horizon = settings.number("horizonSeconds", 60);
    plan.want(
      node.name,
      Math.ceil(expected / target - 1e-9),
      `${figure(expected)}/s expected in ${figure(horizon)} s, at ${figure(target)}/s an instance`,
    );
  }
  return answer(plan);
}

/** Beside another algorithm, its settings stand under its own name. */
function settingsOf(step: Step): Value {
  return step.config.has("holt-winters") ? step.config.object("holt-winters") : step.config;
}

const sourceOf = (step: Step): string => settingsOf(step).text("source", "rates");

/** The rate at the horizon, at least what it is now where that is wanted; NaN where nothing can be said. */
function expectedAt(step: Step, node: Node): f64 {
  const settings = settingsOf(step);
  const source = sourceOf(step);
  const said = step.source(source);
  if (!said.has(node.name)) return nothing(node, `${source} has no value for it`);
  const every = settings.number("everySeconds", 60);
  const points = series(step, source, node.name);
  const values = evenSeries(points, seconds(step.time), every);
  const model = modelOf(settings);
  const start = startOf(settings, model);
  const least = start === null ? needed(model) : 1;
  if (values.length < least) return nothing(node, `${values.length} of ${least} values are there to begin with`);
  const state = follow(values, model, start === null ? beginning(values, model) : start);
  const steps = max(1, <i32>Math.ceil(settings.number("horizonSeconds", 60) / every - 1e-9));
  const expected = decided(state, model, steps, settings.text("decision", "last"));
  if (!isFinite(expected)) return nothing(node, "the forecast is no number");
  return Math.max(settings.flag("atLeastNow", true) ? said.sum(node.name) : 0, expected);
}

/** One of the forecasts up to the horizon, or what they come to. */
function decided(state: State, model: Model, steps: i32, decision: string): f64 {
  if (decision == "last") return forecast(state, model, steps);
  const all = new Array<f64>(steps);
  for (let i = 0; i < steps; i++) all[i] = forecast(state, model, i + 1);
  all.sort();
  if (decision == "minimum") return all[0];
  if (decision == "maximum") return all[steps - 1];
  if (decision == "median") return (all[(steps - 1) / 2] + all[steps / 2]) / 2;
  let sum: f64 = 0;
  for (let i = 0; i < steps; i++) sum += all[i];
  return sum / <f64>steps;
}

function modelOf(settings: Value): Model {
  const model = new Model();
  model.alpha = settings.number("alpha", 0.5);
  model.beta = settings.number("beta", 0.1);
  model.gamma = settings.number("gamma", 0.1);
  model.phi = settings.number("dampingTrend", 1);
  model.trend = PARTS.indexOf(settings.text("trend", "add"));
  model.seasonal = PARTS.indexOf(settings.text("seasonal", "none"));
  model.period = settings.whole("seasonalPeriods", 1);
  model.mirrors = settings.text("compat", "") == "statsmodels";
  return model;
}

/** The parts to begin with, where the policy knows them. */
function startOf(settings: Value, model: Model): State | null {
  if (!settings.has("initialLevel")) return null;
  const told = settings.list("initialSeasonal");
  const season = new Array<f64>(told.length);
  for (let i = 0; i < told.length; i++) season[i] = told[i].asNumber();
  assert(model.seasonal == Part.None || season.length == model.period, "initialSeasonal has to have seasonalPeriods entries");
  return new State(settings.number("initialLevel"), settings.number("initialTrend", 0), season);
}

function nothing(node: Node, why: string): f64 {
  log.warn(`nothing is expected of ${node.name}: ${why}`);
  return NaN;
}
