/** A billionth more than a whole number of instances, or than the tolerance, is a rounding error of the division. */
const SLACK: f64 = 1e-9;

/** How many instances a rate needs: the least that keep every one at or below the target. */
export function needed(rate: f64, targetPerInstance: f64): f64 {
  return Math.ceil(rate / targetPerInstance - SLACK);
}

/** Whether the instances there are come so near to the target that moving would gain less than it costs. */
export function isNear(rate: f64, current: i32, targetPerInstance: f64, tolerance: f64): bool {
  if (current == 0) return false;
  return Math.abs(rate / (<f64>current * targetPerInstance) - 1) <= tolerance + SLACK;
}
