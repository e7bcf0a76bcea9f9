import { Fields, Value } from "@sluice/pdk";
import { rounded } from "./arithmetic";
import { Evaluated, Evaluation } from "./evaluation";
import { Graph } from "./graph";
import { GC, HEAP, HEAP_USAGE, json, MANAGED, METASPACE, SLOTS } from "./sample";
import { Window } from "./window";

/** An object of figures; those without an end are named in `unbounded`, because JSON has no infinity. */
class Figures {
  readonly fields: Fields = new Fields();
  private unbounded: string[] = [];

  put(name: string, x: f64): void {
    if (isFinite(x)) this.fields.raw(name, json(x));
    else if (!isNaN(x)) this.unbounded.push(`"${name}"`);
  }

  get all(): Fields {
    return this.unbounded.length == 0 ? this.fields : this.fields.raw("unbounded", `[${this.unbounded.join(",")}]`);
  }
}

/** The figures of a vertex, as the analysis has them. */
export function evaluatedFields(seen: Evaluated): Fields {
  const figures = new Figures();
  figures.put("targetRate", seen.target);
  figures.put("catchUpRate", seen.catchUp);
  figures.put("trueRate", seen.trueRate);
  figures.put("load", seen.load);
  figures.put("lag", seen.lag);
  figures.put("scaleUpBelow", seen.scaleUpBelow);
  figures.put("scaleDownAbove", seen.scaleDownAbove);
  return figures.all;
}

/** What `evaluatedFields` wrote. What is not there is not known. */
export function evaluatedOf(value: Value): Evaluated {
  const seen = new Evaluated();
  seen.target = figure(value, "targetRate");
  seen.catchUp = figure(value, "catchUpRate");
  seen.trueRate = figure(value, "trueRate");
  seen.load = figure(value, "load");
  seen.lag = figure(value, "lag");
  seen.scaleUpBelow = figure(value, "scaleUpBelow");
  seen.scaleDownAbove = figure(value, "scaleDownAbove");
  return seen;
}

/** A figure that may be missing, NaN then, or without an end. */
export function figure(value: Value, name: string): f64 {
  if (value.has(name)) return value.number(name);
  const unbounded = value.list("unbounded");
  for (let i = 0; i < unbounded.length; i++) if (unbounded[i].asText() == name) return Infinity;
  return NaN;
}

/** The figures of all vertices, by name. */
export function vertexFields(graph: Graph, evaluation: Evaluation): Fields {
  const vertices = new Fields();
  for (let v = 0; v < graph.vertices.length; v++)
    vertices.object(graph.vertices[v].name, evaluatedFields(evaluation.vertices[v]));
  return vertices;
}

/** The figures of the whole job: what is now and, where memory is concerned, the mean of the window. */
export function jobFields(window: Window): Fields {
  const figures = new Figures();
  const last = window.last.totals;
  figures.put("gcPressure", rounded(last[GC]));
  figures.put("heapUsage", rounded(last[HEAP_USAGE]));
  figures.put("heapUsageAverage", rounded(window.total(HEAP_USAGE)));
  figures.put("heapUsed", rounded(last[HEAP]));
  figures.put("heapUsedAverage", rounded(window.total(HEAP)));
  figures.put("managedUsed", rounded(last[MANAGED]));
  figures.put("managedUsedAverage", rounded(window.total(MANAGED)));
  figures.put("metaspaceUsed", rounded(last[METASPACE]));
  figures.put("metaspaceUsedAverage", rounded(window.total(METASPACE)));
  figures.put("slotsUsed", rounded(last[SLOTS]));
  return figures.all;
}
