// As many instances as the measured rate of each node needs at the configured rate an instance: algorithms/threshold in JavaScript.
// @ts-check
/** @typedef {import("../sluice.d.ts").StepInput} StepInput */
/** @typedef {import("../sluice.d.ts").Plan} Plan */
/** @typedef {{ targetPerInstance: number, tolerance?: number }} Target */
/** @typedef {Target & { source?: string, nodes?: Record<string, Partial<Target>> }} Config */

// A billionth more than a whole number of instances, or than the tolerance, is a rounding error of the division.
const SLACK = 1e-9;
// The largest parallelism that the contract has.
const LARGEST = 2_147_483_647;

/** @param {number} rate @param {number} current @param {number} target @param {number} tolerance */
const isNear = (rate, current, target, tolerance) =>
  current !== 0 && Math.abs(rate / (current * target) - 1) <= tolerance + SLACK;

/** A number for people: at most three decimals. @param {number} x */
const figure = (x) =>
  String(Math.abs(x) < 1e15 ? (Math.sign(x) * Math.round(Math.abs(x) * 1000)) / 1000 + 0 : x);

function plan() {
  const input = /** @type {StepInput} */ (JSON.parse(Host.inputString()));
  const config = /** @type {Config} */ (/** @type {unknown} */ (input.config));
  const source = config.source ?? "rates";
  const rates = input.sources[source];
  if (rates === undefined)
    throw new Error(`sources.${source}: is missing: the policy has no source "${source}" under spec.sources`);
  /** @type {Plan} */
  const plan = { nodes: {} };
  for (const { name, parallelism } of input.topology.nodes) {
    const samples = (rates.series ?? []).filter((sample) => sample.node === name);
    if (samples.length === 0) {
      const why = rates.error === undefined ? "" : ` (${rates.error.message})`;
      console.warn(`${name} is left as it is: ${source} has no value for it${why}`);
      continue;
    }
    const rate = samples.reduce((sum, { value }) => sum + value, 0);
    if (rate < 0) {
      console.warn(`${name} is left as it is: ${source} says ${figure(rate)}, which is no rate`);
      continue;
    }
    const own = config.nodes?.[name];
    const target = own?.targetPerInstance ?? config.targetPerInstance;
    const tolerance = own?.tolerance ?? config.tolerance ?? 0.1;
    const load = `${figure(rate)}/s at ${figure(target)}/s an instance`;
    const needed = Math.ceil(rate / target - SLACK) + 0;
    if (needed > LARGEST) throw new Error(`${name}: ${needed} is no parallelism`);
    plan.nodes[name] = isNear(rate, parallelism, target, tolerance)
      ? { parallelism, reason: `${load} is within ${figure(tolerance * 100)} %` }
      : { parallelism: needed, reason: load };
  }
  Host.outputString(JSON.stringify(plan));
}

module.exports = { plan };
