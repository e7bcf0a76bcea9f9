import { fail, Value } from "@sluice/pdk";

const INT32_MAX: f64 = 2147483647;
/** So much of a thousandth, and less, is a rounding error of whoever measured: 0.30000000000000004 is 0.3. */
const NOISE: f64 = 1e-6;
const SLACK: f64 = 1e-9;
const SUFFIXES: string[] = ["", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const FACTORS: f64[] = [
  1000, 1, 1e6, 1e9, 1e12, 1e15, 1e18, 1e21, 1024e3, 1048576e3, 1073741824e3, 1099511627776e3,
  1125899906842624e3, 1152921504606846976e3,
];

/** A number, or a quantity such as `500m` or `2Gi`, in thousandths. Fails if it is neither, or missing. */
export function milliOf(value: Value): i64 {
  if (value.json == "") fail(`${value.path}: is missing`);
  if (!value.json.startsWith('"')) return milli(value.json);
  const text = value.asText();
  let end = text.length;
  while (end > 0 && !isDigit(text.charCodeAt(end - 1))) end--;
  const suffix = SUFFIXES.indexOf(text.substring(end));
  if (end == 0 || suffix < 0 || !isFinite(parseFloat(text)))
    fail(`${value.path}: a number or a quantity such as 500m is needed, found ${text}`);
  if (suffix == 0) return milli(text.substring(0, end));
  return <i64>Math.ceil(parseFloat(text.substring(0, end)) * FACTORS[suffix] - SLACK);
}

/**
 * A number as it is written, in thousandths, rounded up as quantities are. It is read by its digits, so that numbers keep
 * all of 64 bits; what 64 bits cannot hold becomes the largest that they can.
 */
export function milli(text: string): i64 {
  let digits: u64 = 0;
  let scale = 3;
  let isFraction = false;
  let at = text.startsWith("-") ? 1 : 0;
  const isNegative = at == 1;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code == 0x2e) isFraction = true;
    else if (isDigit(code)) {
      // What is too small to be seen beside eighteen digits is left out.
      if (digits < 1000000000000000000) digits = digits * 10 + <u64>(code - 0x30);
      else scale++;
      if (isFraction) scale--;
    } else break;
  }
  if (at < text.length) scale += I32.parseInt(text.substring(at + 1));
  const size = scaled(digits, scale);
  return isNegative ? -size : size;
}

function scaled(digits: u64, scale: i32): i64 {
  let size = digits;
  for (; scale > 0 && size > 0; scale--) {
    if (size > <u64>i64.MAX_VALUE / 10) return i64.MAX_VALUE;
    size *= 10;
  }
  if (scale < -18) return 0;
  let divisor: u64 = 1;
  for (; scale < 0; scale++) divisor *= 10;
  const isMore = <f64>(size % divisor) / <f64>divisor > NOISE;
  size = size / divisor + (isMore ? 1 : 0);
  return size > <u64>i64.MAX_VALUE ? i64.MAX_VALUE : <i64>size;
}

const isDigit = (code: i32): bool => code >= 0x30 && code <= 0x39;

/**
 * A float as the original's processor made a 32-bit integer of it: everything that does not fit is the smallest. Where
 * `saturates`, what is too large is the largest, as later versions of the original have it.
 */
export function int32(x: f64, saturates: bool): f64 {
  if (x > INT32_MAX) return saturates ? INT32_MAX : -2147483648;
  if (!(x >= -2147483648)) return -2147483648;
  return Math.trunc(x);
}

/** The least whole number that is not below it; a billionth above a whole number is a rounding error, unless `exactly`. */
export function ceil(x: f64, exactly: bool): f64 {
  return exactly ? Math.ceil(x) : Math.ceil(x - SLACK * Math.max(1, Math.abs(x)));
}
