import { Fields, figure, seconds, Step } from "@sluice/pdk";
import { Collector } from "./collect";
import { Graph } from "./graph";
import { Options } from "./options";
import { rawList, remembered, texts, wasRescaled, windowJson } from "./remembered";
import { json, Sample } from "./sample";
import { Window } from "./window";

/** How many restarts are remembered. */
const RESTARTS = 10;

/** Takes a sample of what the sources say and puts it into the metric window. */
export function observe(step: Step): Fields {
  const options = Options.of(step.config);
  const graph = new Graph(step.topology);
  const now = seconds(step.time) * 1000;
  const past = since(step, graph, options);
  const collector = new Collector(step, graph, options);
  past.push(collector.sample(now, new Window(past)));
  const waits = waiting(step, past, now, options);
  const window = new Window(waits.length == 0 ? recent(past, now - options.windowMs) : past);
  const spelled = windowJson(window, graph, step.carry);
  const restarts = restartRows(step);
  const answer = new Fields().raw("unknown", texts(collector.unknown));
  if (waits.length > 0) answer.text("waits", waits);
  return answer.object("carry", carried(step, spelled, restarts));
}

/** The samples since the job runs as it does: those of before say nothing of it. */
function since(step: Step, graph: Graph, options: Options): Sample[] {
  const samples = remembered(step.carry.object("window"), graph);
  const running = runningSince(step);
  if (samples.length > 0 && (running > samples[0].at || (!options.compat && wasRescaled(step, graph)))) return [];
  return samples;
}

/** Milliseconds since 1970; NaN if the driver does not know. */
function runningSince(step: Step): f64 {
  const since = step.value.object("topology").text("runningSince", "");
  return since.length == 0 ? NaN : seconds(since) * 1000;
}

/** Why nothing can be decided yet: the job has to be stable, and then run for the length of the window. */
function waiting(step: Step, samples: Sample[], now: f64, options: Options): string {
  const known = runningSince(step);
  const stable = (isNaN(known) ? samples[0].at : known) + options.stabilizationMs;
  if (now < stable) return `the job is stable in ${figure(Math.ceil((stable - now) / 1000))} s`;
  let first = now;
  for (let i = samples.length - 1; i >= 0 && samples[i].at >= stable; i--) first = samples[i].at;
  const full = first + options.windowMs;
  if (now < full) return `the metric window is full in ${figure(Math.ceil((full - now) / 1000))} s`;
  return samples.length < 2 ? "there is only one sample yet" : "";
}

function recent(samples: Sample[], from: f64): Sample[] {
  const kept: Sample[] = [];
  for (let i = 0; i < samples.length; i++) if (samples[i].at >= from) kept.push(samples[i]);
  return kept.length < 2 ? samples.slice(-2) : kept;
}

/** The restarts that are remembered, and the last one once the driver knows how long it took. */
function restartRows(step: Step): string {
  const known = step.carry.list("restarts");
  const rows: string[] = [];
  for (let i = 0; i < known.length; i++) rows.push(known[i].json);
  const last = step.value.object("topology").object("lastRescale");
  if (last.has("settledAt")) {
    const at = seconds(last.text("at")) * 1000;
    const lasted = last.has("downtime") ? last.number("downtime") * 1000 : seconds(last.text("settledAt")) * 1000 - at;
    const row = `[${json(at)},${json(lasted)}]`;
    if (!rows.includes(row)) rows.push(row);
  }
  return `[${rows.slice(-RESTARTS).join(",")}]`;
}

/** The window is read where it is remembered, should the step that plans be another's; the rest stays as it was. */
function carried(step: Step, window: string, restarts: string): Fields {
  const fields = new Fields().raw("window", window).raw("restarts", restarts);
  const kept = ["delays", "scalings", "parallelism"];
  for (let i = 0; i < kept.length; i++) if (step.carry.has(kept[i])) fields.raw(kept[i], rawList(step.carry, kept[i]));
  return fields;
}
