import { Fields, log, Step, Value } from "@sluice/pdk";
import { Delay } from "./delay";
import { Graph } from "./graph";
import { Options } from "./options";
import { Tuned } from "./memory";
import { COLUMNS, Sample, TOTAL_COLUMNS } from "./sample";
import { kept, Scaling } from "./scalings";
import { Window } from "./window";

/** What all of it may take of the 16 KiB that a pass may remember, and what is kept free of it for what a plan adds. */
const CARRY_CHARACTERS = 16_000;
const FREE_CHARACTERS = 800;
const FREE_CHARACTERS_A_VERTEX = 45;

/** The samples that are remembered of the same vertices, none if the job has others by now. */
export function remembered(value: Value, graph: Graph): Sample[] {
  const names = value.list("names");
  const samples: Sample[] = [];
  if (names.length != graph.vertices.length) return samples;
  for (let i = 0; i < names.length; i++) if (names[i].asText() != graph.vertices[i].name) return samples;
  const entries = value.list("samples");
  for (let i = 0; i < entries.length; i++) samples.push(Sample.of(entries[i], names.length));
  return samples;
}

/** The window as it is remembered and handed on. Where there is no room for every sample, older ones become one. */
export function windowJson(window: Window, graph: Graph, carry: Value): string {
  const names = new Array<string>(graph.vertices.length);
  for (let v = 0; v < names.length; v++) names[v] = graph.vertices[v].name;
  const rows = rawList(carry, "delays").length + rawList(carry, "scalings").length;
  const more = FREE_CHARACTERS_A_VERTEX * names.length + lengthOf(names);
  const room = CARRY_CHARACTERS - FREE_CHARACTERS - lengthOf(names) - max(rows, more);
  let samples = window.samples;
  let parts = spelled(samples);
  while (samples.length > 2 && lengthOf(parts) > room) {
    samples = thinned(samples, names.length);
    parts = spelled(samples);
  }
  return new Fields()
    .raw("names", texts(names))
    .raw("columns", texts(COLUMNS))
    .raw("totals", texts(TOTAL_COLUMNS))
    .raw("samples", `[${parts.join(",")}]`).json;
}

/** Pairs of the older samples become one each; the newest stays as it is. */
function thinned(samples: Sample[], vertices: i32): Sample[] {
  const fewer: Sample[] = [];
  const older = max(2, (samples.length + 1) / 2);
  let i = 0;
  for (; i + 1 < older; i += 2) fewer.push(samples[i].with(samples[i + 1], vertices));
  for (; i < samples.length; i++) fewer.push(samples[i]);
  return fewer;
}

function spelled(samples: Sample[]): string[] {
  const parts = new Array<string>(samples.length);
  for (let i = 0; i < parts.length; i++) parts[i] = samples[i].json;
  return parts;
}

function lengthOf(parts: string[]): i32 {
  let length = 0;
  for (let i = 0; i < parts.length; i++) length += parts[i].length + 1;
  return length;
}

/** Texts as a JSON list. */
export function texts(names: string[]): string {
  const parts = new Array<string>(names.length);
  for (let i = 0; i < names.length; i++) parts[i] = quoted(names[i]);
  return `[${parts.join(",")}]`;
}

/** A text as JSON. */
function quoted(text: string): string {
  return new Fields().text("t", text).json.slice(5, -1);
}

/** What is remembered of each vertex between passes beside its samples. */
export class Memory {
  readonly scalings: Map<string, Scaling[]> = new Map();
  readonly delays: Map<string, Delay> = new Map();
  /** What the memory of a task manager was last tuned to, in this pass or before. */
  tuned: Tuned | null = null;

  constructor(private readonly step: Step) {
    const scalings = step.carry.list("scalings");
    for (let i = 0; i < scalings.length; i++) {
      const row = scalings[i].asList();
      const past = new Array<Scaling>(row.length - 1);
      for (let k = 0; k < past.length; k++) past[k] = Scaling.of(row[k + 1]);
      this.scalings.set(row[0].asText(), past);
    }
    const delays = step.carry.list("delays");
    for (let i = 0; i < delays.length; i++) {
      const row = delays[i].asList();
      this.delays.set(row[0].asText(), Delay.of(row));
    }
  }

  past(name: string): Scaling[] {
    return this.scalings.has(name) ? this.scalings.get(name) : [];
  }

  delay(name: string): Delay | null {
    return this.delays.has(name) ? this.delays.get(name) : null;
  }

  setDelay(name: string, delay: Delay | null): void {
    if (delay === null) this.delays.delete(name);
    else this.delays.set(name, delay);
  }

  /** Remembers a scaling. One that was decided before and did not happen gives way to it. */
  add(name: string, scaling: Scaling, now: f64, options: Options): void {
    const past = this.past(name);
    if (!options.compat && past.length > 0 && past[past.length - 1].from == scaling.from) past.pop();
    past.push(scaling);
    this.scalings.set(name, kept(past, now, options));
  }

  /** All that the next pass is given. Where there is no room, the past of scalings and of delays becomes coarser. */
  fields(graph: Graph): Fields {
    const fields = this.kept(graph);
    const room = CARRY_CHARACTERS - fields.json.length - 64;
    let delays = this.delayRows(graph);
    let scalings = this.scalingRows(graph);
    for (let round = 0; round < 4 && delays.length + scalings.length > room; round++) {
      this.thin();
      delays = this.delayRows(graph);
      scalings = this.scalingRows(graph);
    }
    if (delays.length + scalings.length > room) {
      log.warn("there is no room to remember past scalings of so many vertices");
      scalings = "[]";
    }
    return fields.raw("delays", delays).raw("scalings", scalings);
  }

  private thin(): void {
    const delays = this.delays.values();
    for (let i = 0; i < delays.length; i++) delays[i].thin();
    const pasts = this.scalings.values();
    for (let i = 0; i < pasts.length; i++) if (pasts[i].length > 1) pasts[i].shift();
  }

  /** What the monitor step measured, and what the vertices have now. */
  private kept(graph: Graph): Fields {
    const fields = new Fields();
    const seen = this.step.monitor.object("carry");
    if (seen.has("window")) fields.copy("window", seen.object("window"));
    if (seen.has("restarts")) fields.raw("restarts", rawList(seen, "restarts"));
    const parallelism = new Array<string>(graph.vertices.length);
    for (let v = 0; v < parallelism.length; v++) parallelism[v] = graph.vertices[v].parallelism.toString();
    this.writeTuned(fields.raw("parallelism", `[${parallelism.join(",")}]`));
    return fields;
  }

  private writeTuned(fields: Fields): void {
    const tuned = this.tuned;
    if (tuned === null) {
      if (this.step.carry.has("memory")) fields.copy("memory", this.step.carry.object("memory"));
      return;
    }
    const memory = new Fields().number("total", tuned.total).number("heap", tuned.heap).number("managed", tuned.managed);
    fields.object("memory", memory.number("network", tuned.network).number("metaspace", tuned.metaspace));
  }

  private delayRows(graph: Graph): string {
    const rows: string[] = [];
    const names = this.delays.keys();
    for (let i = 0; i < names.length; i++)
      if (graph.has(names[i])) rows.push(`[${quoted(names[i])},${this.delays.get(names[i]).json}]`);
    return `[${rows.join(",")}]`;
  }

  private scalingRows(graph: Graph): string {
    const rows: string[] = [];
    const names = this.scalings.keys();
    for (let i = 0; i < names.length; i++) {
      if (!graph.has(names[i])) continue;
      const past = this.scalings.get(names[i]);
      const parts: string[] = [quoted(names[i])];
      for (let k = 0; k < past.length; k++) parts.push(past[k].json);
      rows.push(`[${parts.join(",")}]`);
    }
    return `[${rows.join(",")}]`;
  }
}

/** A list of the input, spelled as it was. */
export function rawList(value: Value, name: string): string {
  const entries = value.list(name);
  const parts = new Array<string>(entries.length);
  for (let i = 0; i < parts.length; i++) parts[i] = entries[i].json;
  return `[${parts.join(",")}]`;
}

/** Whether a vertex has another parallelism than in the last pass. */
export function wasRescaled(step: Step, graph: Graph): bool {
  const before = step.carry.list("parallelism");
  if (before.length != graph.vertices.length) return before.length > 0;
  for (let v = 0; v < before.length; v++) if (before[v].asWhole() != graph.vertices[v].parallelism) return true;
  return false;
}
