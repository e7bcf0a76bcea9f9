/** What of an instance can be changed beside how many there are. */
export const DIMENSIONS = ["cpu", "memory", "slots"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** What one instance of a node has: processors (whole thousandths), bytes of memory, slots. What is absent is not said. */
export type Resources = Readonly<Partial<Record<Dimension, number>>>;

/** Another set of resources for the instances of a node; a dimension that is absent from one side is not said there. */
export interface Reshape {
  readonly from: Resources;
  readonly to: Resources;
}

/** What differs from one to the other, of the dimensions that the second names; undefined if nothing does. */
export function reshapeOf(current: Resources, granted: Resources): Reshape | undefined {
  const moved = DIMENSIONS.filter((one) => granted[one] !== undefined && granted[one] !== current[one]);
  if (moved.length === 0) return undefined;
  return { from: picked(current, moved), to: picked(granted, moved) };
}

/** Whether an instance has what a reshape was to bring. */
export const hasShape = (now: Resources | undefined, { from, to }: Reshape): boolean =>
  DIMENSIONS.every(
    (one) => (from[one] === undefined && to[one] === undefined) || (now ?? {})[one] === to[one],
  );

/** The same the other way round. */
export const takenBack = ({ from, to }: Reshape): Reshape => ({ from: to, to: from });

const picked = (resources: Resources, which: readonly Dimension[]): Resources =>
  Object.fromEntries(
    which.flatMap((one) => {
      const value = resources[one];
      return value === undefined ? [] : [[one, value]];
    }),
  );

const UNITS = [
  ["Gi", 2 ** 30],
  ["Mi", 2 ** 20],
  ["Ki", 2 ** 10],
] as const;

/** As Kubernetes spells it: thousandths of a processor, and memory in the largest unit that it is whole in. */
export function spellAmount(dimension: Dimension, value: number): string {
  // What is a little above a whole number is an error of its computation.
  if (dimension === "cpu") return `${Math.ceil(value * 1_000 - 1e-6)}m`;
  const whole = Math.ceil(value - 1e-6);
  if (dimension === "slots") return String(whole);
  const [unit, size] = UNITS.find(([, each]) => whole % each === 0) ?? ["", 1];
  return `${whole / size}${unit}`;
}

/** A change of a node in words: `3 → 5, cpu 500m → 1000m`. */
export function spellMove({
  from,
  to,
  resources,
}: {
  from: number;
  to: number;
  resources?: Reshape;
}): string {
  const count = from === to && resources !== undefined ? [] : [`${from} → ${to}`];
  return [...count, ...(resources === undefined ? [] : spellReshape(resources))].join(", ");
}

function spellReshape({ from, to }: Reshape): string[] {
  const spell = (one: Dimension, value: number | undefined) =>
    value === undefined ? "unset" : spellAmount(one, value);
  return DIMENSIONS.flatMap((one) =>
    from[one] === undefined && to[one] === undefined
      ? []
      : [`${one} ${spell(one, from[one])} → ${spell(one, to[one])}`],
  );
}
