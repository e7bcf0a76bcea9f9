import { Observation } from "@sluice/pdk";
import { Graph } from "./graph";

/** What a source says of each vertex: of all its instances together, and of those with the most and the least. */
export class Series {
  readonly sum: StaticArray<f64>;
  readonly most: StaticArray<f64>;
  readonly least: StaticArray<f64>;
  private readonly counts: StaticArray<f64>;
  /** The largest value, whatever it belongs to. */
  largest: f64 = NaN;
  /** Why the source could not be read; empty if it could. */
  readonly error: string;
  /** Whether it has no value at all, for whatever reason. */
  readonly isSilent: bool;

  constructor(from: Observation, graph: Graph) {
    const count = graph.vertices.length;
    this.error = from.error;
    this.isSilent = from.samples.length == 0;
    this.sum = unknown(count);
    this.most = unknown(count);
    this.least = unknown(count);
    this.counts = new StaticArray<f64>(count);
    for (let i = 0; i < from.samples.length; i++) {
      const sample = from.samples[i];
      const number = sample.number;
      if (!(number <= this.largest)) this.largest = number;
      if (graph.has(sample.node)) this.add(graph.place(sample.node), number);
    }
  }

  /** Mean of the vertex's values; NaN if it has none. */
  mean(v: i32): f64 {
    return this.sum[v] / this.counts[v];
  }

  private add(v: i32, number: f64): void {
    this.sum[v] = isNaN(this.sum[v]) ? number : this.sum[v] + number;
    if (!(number <= this.most[v])) this.most[v] = number;
    if (!(number >= this.least[v])) this.least[v] = number;
    this.counts[v]++;
  }
}

function unknown(count: i32): StaticArray<f64> {
  return new StaticArray<f64>(count).fill(NaN);
}
