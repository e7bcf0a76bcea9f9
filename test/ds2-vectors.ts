import type { StepInput } from "../host/contract/index.ts";
import { inputOf, nodeOf, sampleOf, valuesOf } from "./step-input.ts";

/** Rates of an operator, or of one of its instances, as the vectors have them. */
export interface Rates {
  readonly trueProcessing: number;
  readonly trueOutput: number;
  readonly observedProcessing: number;
  readonly observedOutput: number;
}

/** What the files of vectors have in common. */
interface Vector {
  readonly name: string;
  readonly operators: readonly { readonly id: string; readonly parallelism: number }[];
  readonly edges: readonly (readonly [string, string])[];
  readonly scalingFactor: number;
  readonly targetRateRatioThreshold: number | null;
}

/** A case of vectors.json: rates of whole operators. */
export interface AggregatedVector extends Vector {
  readonly rates: Readonly<Record<string, Rates>>;
  readonly expected: {
    readonly optimal: Readonly<Record<string, number>>;
    readonly optimalFractional: Readonly<Record<string, number>>;
    readonly targetRate: Readonly<Record<string, number>>;
    readonly maxSourceRateRatio: number;
    readonly adjusted: Readonly<Record<string, number>> | null;
  };
}

/** A case of generated.json: rates of instances, and what sources are told to emit. */
export interface InstanceVector extends Vector {
  readonly instanceRates: Readonly<Record<string, readonly Rates[]>>;
  readonly sourceRatesPerInstance: Readonly<Record<string, number>> | null;
  readonly expected: {
    readonly parallelism: Readonly<Record<string, number>>;
    readonly adjusted: boolean;
    readonly optimalFractional: Readonly<Record<string, number>>;
    readonly maxSourceRateRatio: number;
  };
}

/** The plan step that a case of either file describes; `config` is added to what the case configures. */
export const stepOf = (vector: AggregatedVector | InstanceVector, config: object = {}): StepInput =>
  inputOf({
    topology: {
      nodes: vector.operators.map(({ id, parallelism }) => nodeOf(id, parallelism)),
      edges: vector.edges.map(([from, to]) => ({ from, to })),
    },
    sources: sourcesOf(instancesOf(vector)),
    history: [],
    config: { ...configOf(vector), ...config },
  });

const instancesOf = (vector: AggregatedVector | InstanceVector): InstanceVector["instanceRates"] =>
  "rates" in vector
    ? Object.fromEntries(Object.entries(vector.rates).map(([id, rates]) => [id, [rates]]))
    : vector.instanceRates;

/** One sample an instance. An operator's observed processing rate is nothing that DS2 looks at. */
function sourcesOf(instances: InstanceVector["instanceRates"]): StepInput["sources"] {
  const samples = (rate: keyof Rates) =>
    Object.entries(instances).flatMap(([id, all]) => all.map((one) => sampleOf(id, one[rate])));
  return {
    "true-processing": valuesOf(...samples("trueProcessing")),
    "true-output": valuesOf(...samples("trueOutput")),
    "observed-output": valuesOf(...samples("observedOutput")),
  };
}

/** The vectors are evaluations of one window: nothing to warm up. A threshold of null is never. */
const configOf = (vector: AggregatedVector | InstanceVector): object => ({
  warmUp: 0,
  scalingFactor: vector.scalingFactor,
  ...(vector.targetRateRatioThreshold === null ? {} : { targetRateRatio: vector.targetRateRatioThreshold }),
  ...("instanceRates" in vector ? { nodes: orderedOf(vector) } : {}),
});

const orderedOf = ({ sourceRatesPerInstance }: InstanceVector): object =>
  Object.fromEntries(
    Object.entries(sourceRatesPerInstance ?? {}).map(([id, outputPerInstance]) => [
      id,
      { outputPerInstance },
    ]),
  );

/** A measured curve of capacity.json. */
export interface MeasuredCurve {
  readonly points: readonly (readonly [number, number])[];
  readonly usl: { readonly lambda: number; readonly sigma: number };
  readonly ds2OnUsl: readonly (readonly [number, number, number, number, number, readonly number[]])[];
}

/** Records a second of so many instances by the curve that was fitted to the measurements. */
export const onFit = ({ usl }: MeasuredCurve, instances: number): number =>
  (usl.lambda * instances) / (1 + usl.sigma * (instances - 1));

/** Records a second of so many instances by the measurements themselves: on straight lines between them, by the last two beyond. */
export function asMeasured({ points }: MeasuredCurve, instances: number): number {
  const after = points.findIndex(([p]) => p >= instances);
  const at = after < 0 ? points.length - 1 : Math.max(1, after);
  const [fromP, fromC] = points[at - 1]!;
  const [toP, toC] = points[at]!;
  return fromC + ((toC - fromC) * (instances - fromP)) / (toP - fromP);
}
