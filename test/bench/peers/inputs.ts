import { nodeOf, sampleOf, valuesOf } from "../../step-input.ts";

const NAMES = ["split", "count", "sink"] as const;
const AT = "2026-11-22T10:00:00.000Z";

/** What a step is shown, as Sluice's texts and as a request of the peers' protocol. */
export interface BenchInput {
  readonly texts: Readonly<Record<string, string>>;
  /** The input of our step as one text: what the exec peer is given. */
  readonly whole: string;
  readonly request: string;
  readonly bytes: number;
}

/** An input of about so many bytes: three nodes, and as many measured rates as fit. Both forms carry the same samples. */
export function benchInput(bytes: number): BenchInput {
  const series = NAMES.map((name) => sampleOf(name, 42));
  let made = formsOf(series);
  const each = JSON.stringify(sampleOf("split", 42)).length + 1;
  for (let left = Math.floor((bytes - made.bytes) / each); left > 0; left -= 1)
    series.push(sampleOf(NAMES[left % NAMES.length] ?? "split", (left * 37) % 500));
  made = formsOf(series);
  return made;
}

function formsOf(series: ReturnType<typeof sampleOf>[]): BenchInput {
  const sources = { rates: valuesOf(...series) };
  const texts = {
    iteration: JSON.stringify({ id: `7@${AT}`, number: 7, time: AT }),
    policy: JSON.stringify({ namespace: "team-a", name: "clickstream" }),
    topology: JSON.stringify({ nodes: NAMES.map((name) => nodeOf(name, 2)), edges: [] }),
    sources: JSON.stringify(sources),
    history: "[]",
    config: "{}",
  };
  const whole = `{"api":"sluice/v1","step":"plan",${Object.entries(texts)
    .map(([name, text]) => `"${name}":${text}`)
    .join(",")}}`;
  const request = JSON.stringify({
    id: "0b6a0c8e-7c2a-4f4e-9a55-3d7c1b1f2f10",
    udfStartTimestampMillis: Date.parse(AT),
    topology: NAMES.map((name) => ({ type: "scaleTargetRef", fields: `kind=Deployment|name=${name}` })),
    monitorResult: {},
    analyzeResult: {},
    resultHistory: [],
    sources,
  });
  return { texts, whole, request, bytes: whole.length };
}
