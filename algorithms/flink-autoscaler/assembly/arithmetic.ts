/** Below this, a figure with four decimals has at most 15 digits: a division of whole numbers gives exactly its double. */
const EXACT_BELOW: f64 = 1e11;
/** The largest Java long, as a double. */
const LONG_MAX: f64 = 9223372036854775807;

/**
 * As Flink's autoscaler stores a figure: three decimals of its shortest spelling, halves away from zero, and never 0 for
 * what is not. NaN and the infinite stay what they are.
 */
export function rounded(x: f64): f64 {
  if (!isFinite(x) || Math.floor(x) == x) return x;
  const size = Math.abs(x);
  const near = size < EXACT_BELOW ? thousandths(size) : Math.floor(size * 1000 + 0.5);
  if (near == 0) return x;
  return x < 0 ? -near / 1000 : near / 1000;
}

/** A half between two thousandths is a figure with four decimals; its double tells on which side the number is. */
function thousandths(size: f64): f64 {
  let near = Math.floor(size * 1000);
  while (size >= half(near)) near += 1;
  while (near > 0 && size < half(near - 1)) near -= 1;
  return near;
}

function half(thousandths: f64): f64 {
  return (thousandths * 10 + 5) / 10000;
}

/** Java's Math.round: halves upwards, NaN is 0, and what a long cannot hold is its largest or smallest. */
export function nearest(x: f64): f64 {
  if (isNaN(x)) return 0;
  if (x >= LONG_MAX) return LONG_MAX;
  if (x <= -LONG_MAX) return -LONG_MAX;
  const floor = Math.floor(x);
  return x - floor >= 0.5 ? floor + 1 : floor;
}

/** Java's cast to int: towards zero, NaN is 0, and what an int cannot hold is its largest or smallest. */
export function toInt(x: f64): i32 {
  if (isNaN(x)) return 0;
  if (x >= 2147483647) return i32.MAX_VALUE;
  if (x <= -2147483648) return i32.MIN_VALUE;
  return <i32>x;
}

/** Two decimals, up, of the shortest spelling, as BigDecimal.valueOf(x).setScale(2, CEILING) has it. */
export function hundredthsUp(x: f64): f64 {
  let up = Math.floor(x * 100);
  while (up / 100 < x) up += 1;
  while ((up - 1) / 100 >= x) up -= 1;
  return up / 100;
}
