import { inputOf, nodeOf, sampleOf, valuesOf } from "../step-input.ts";

/** What a step is given, field by field as JSON text, so that a number stands there as it was written. */
export type Texts = Readonly<Record<string, string>>;

const AT = "2026-11-22T10:00:00.000Z";
const said = (...samples: ReturnType<typeof sampleOf>[]) => valuesOf(...samples);

/** The fields of an input as text; some may be replaced by text that `JSON.stringify` would not write. */
function textsOf(change: Parameters<typeof inputOf>[0], spelled: Texts = {}): Texts {
  const { api: _api, step: _step, ...fields } = inputOf(change);
  const texts = Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)] as const);
  return { ...Object.fromEntries(texts), ...spelled };
}

const one = (current: number, rate: number, config: object = {}) =>
  textsOf({
    topology: { nodes: [nodeOf("split", current)], edges: [] },
    sources: { rates: said(sampleOf("split", rate)) },
    config: { targetPerInstance: 100, ...config },
  });

const series = (value: string) =>
  `{"rates":{"at":"${AT}","series":[{"labels":{},"node":"split","value":${value},"at":"${AT}"}]}}`;

const names = [
  "küche",
  "a.b-c",
  'quote"d',
  "back\\slash",
  "tab\tbed",
  "\u0001",
  "名前",
  "😀",
  "a&b<c>",
  "\u2028",
  "\u007f",
];
const MANY = Array.from({ length: 100 }, (_, at) => `operator-${at}`);

/** What every `threshold` is given, whatever language it is written in. */
export const INPUTS: Readonly<Record<string, Texts>> = {
  "the usual": textsOf({}),
  ...Object.fromEntries(
    [
      [2, 420],
      [4, 440],
      [4, 441],
      [4, 360],
      [4, 359],
      [0, 420],
      [0, 0],
      [3, 0],
      [1, 99_999],
      [7, 0.0004],
      [1, 33.333_333],
      [2, 1e15],
      [2, 123_456_789_012.345_6],
      [1, 0.5],
      [3, -5],
      [3, -0.0004],
      [1, 1e-9],
    ].map(([current = 0, rate = 0]) => [`${current} instances at ${rate}/s`, one(current, rate)]),
  ),
  "no tolerance": one(4, 401, { tolerance: 0 }),
  "a tolerance that is no sum of powers of two": one(4, 401, { tolerance: 0.07 }),
  "a target with decimals": one(1, 1.1, { targetPerInstance: 0.1 }),
  "more than an instance can be": one(1, 1e15, { targetPerInstance: 1 }),
  "a node with a target of its own": one(2, 420, { nodes: { split: { targetPerInstance: 50 } } }),
  "a node with a tolerance of its own": one(4, 420, { nodes: { split: { tolerance: 0.01 } } }),
  "another node with a target of its own": one(2, 420, { nodes: { count: { targetPerInstance: 50 } } }),
  "another source": textsOf({
    sources: { arriving: said(sampleOf("split", 700)) },
    config: { targetPerInstance: 100, source: "arriving" },
  }),
  "several samples of a node": textsOf({
    sources: { rates: said(sampleOf("split", 0.1), sampleOf("count", 90), sampleOf("split", 0.2)) },
  }),
  "samples of nobody": textsOf({
    sources: { rates: { at: AT, series: [{ labels: {}, value: 7, at: AT }] } },
  }),
  "no data": textsOf({ sources: { rates: { at: AT, noData: true } } }),
  "an error": textsOf({
    sources: { rates: { at: AT, error: { code: "SourceUnavailable", message: 'timed "out" 100 %' } } },
  }),
  "a source that is not there": textsOf({ sources: {} }),
  "no nodes": textsOf({ topology: { nodes: [], edges: [] } }),
  "nodes that are not in the order of the alphabet": textsOf({
    topology: { nodes: [nodeOf("z", 1), nodeOf("a", 1), nodeOf("m", 1)], edges: [] },
    sources: { rates: said(sampleOf("a", 150), sampleOf("m", 250), sampleOf("z", 350)) },
  }),
  "names of all kinds": textsOf({
    topology: { nodes: names.map((name) => nodeOf(name, 1)), edges: [] },
    sources: { rates: said(...names.map((name, at) => sampleOf(name, 100 * at + 50))) },
  }),
  "names that are spelled with escapes": textsOf(
    { topology: { nodes: [nodeOf("é😀/", 1)], edges: [] } },
    {
      sources: `{"rates":{"at":"${AT}","series":[{"labels":{"a":"\\u0000\\b\\f\\n\\r\\t"},"node":"\\u00e9\\ud83d\\ude00\\/","value":250,"at":"${AT}"}]}}`,
    },
  ),
  "numbers that are spelled in other ways": textsOf({}, { sources: series("4.2e2") }),
  "a number with more digits than a double has": textsOf({}, { sources: series("420.00000000000000000001") }),
  "a number above 2^53": textsOf({}, { sources: series("9007199254740993") }),
  "zero with a sign": textsOf({}, { sources: series("-0") }),
  "fields that are not known yet": textsOf(
    { carry: { last: [1, { deep: [null, true, "]}"] }], large: 2 ** 53 } },
    {
      topology: `{"later":{"nodes":[{"name":"x"}]},"nodes":[{"later":[[]],"name":"split","kind":"Deployment","parallelism":2,"ready":2,"min":1,"max":9,"attributes":{"a":"b"}}],"edges":[]}`,
    },
  ),
  "an input with space in it": textsOf(
    {},
    { config: `{ "targetPerInstance" :\n 100 ,\t"nodes" : { } }`, sources: series(" 420 ") },
  ),
  "a hundred nodes": textsOf({
    topology: { nodes: MANY.map((name) => nodeOf(name, 4)), edges: [] },
    sources: { rates: said(...MANY.map((name, at) => sampleOf(name, 37 * at))) },
  }),
  "everything that a topology can say": textsOf({
    topology: {
      nodes: [{ ...nodeOf("split", 2), ceiling: 24, alignTo: 128, slotGroup: "default" }],
      edges: [{ from: "split", to: "split", shipStrategy: "HASH" }],
      runningSince: AT,
      lastRescale: { at: AT, settledAt: AT, downtime: 1.5, partial: true },
      slots: { total: 8, free: 0 },
    },
    sources: {
      rates: said(sampleOf("split", 420)),
      lag: {
        at: AT,
        series: [],
        partitions: [{ topic: "clicks", partition: 0, committed: 7, end: 9, lag: 2 }],
      },
    },
  }),
};
