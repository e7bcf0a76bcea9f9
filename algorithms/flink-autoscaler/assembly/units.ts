import { fail } from "@sluice/pdk";

/** Milliseconds of a duration as Flink writes it: a number and a unit, such as `5 min`, `30 s`, `1 h` or `0 ms`. */
export function milliseconds(text: string, name: string): f64 {
  const end = pastDigits(text);
  const amount = end == 0 ? NaN : parseFloat(text.substring(0, end));
  const scale = durationScale(text.substring(end).trim().toLowerCase());
  if (isNaN(amount) || isNaN(scale))
    fail(`config.${name}: a duration is needed, such as "5 min" or "30 s", found "${text}"`);
  return Math.floor(amount * scale);
}

/** Bytes of a size as Flink writes it: a number and a unit, such as `30 gb` or `23040 kb`; all of them in steps of 1024. */
export function bytes(text: string, name: string): f64 {
  const end = pastDigits(text);
  const amount = end == 0 ? NaN : parseFloat(text.substring(0, end));
  const scale = sizeScale(text.substring(end).trim().toLowerCase());
  if (isNaN(amount) || isNaN(scale))
    fail(`config.${name}: a size is needed, such as "2 gb" or "512 mb", found "${text}"`);
  return amount * scale;
}

function pastDigits(text: string): i32 {
  let at = 0;
  while (at < text.length && text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39) at++;
  return at;
}

function durationScale(unit: string): f64 {
  if (unit == "" || unit == "ms" || unit == "milli" || unit == "millis" || unit == "millisecond") return 1;
  if (unit == "milliseconds") return 1;
  if (unit == "s" || unit == "sec" || unit == "secs" || unit == "second" || unit == "seconds") return 1e3;
  if (unit == "m" || unit == "min" || unit == "minute" || unit == "minutes") return 6e4;
  if (unit == "h" || unit == "hour" || unit == "hours") return 3.6e6;
  if (unit == "d" || unit == "day" || unit == "days") return 8.64e7;
  if (unit == "us" || unit == "µs" || unit == "micro" || unit == "micros") return 1e-3;
  if (unit == "microsecond" || unit == "microseconds") return 1e-3;
  if (unit == "ns" || unit == "nano" || unit == "nanos") return 1e-6;
  if (unit == "nanosecond" || unit == "nanoseconds") return 1e-6;
  return NaN;
}

function sizeScale(unit: string): f64 {
  if (unit == "" || unit == "b" || unit == "bytes") return 1;
  if (unit == "k" || unit == "kb" || unit == "kibibytes") return 1024;
  if (unit == "m" || unit == "mb" || unit == "mebibytes") return 1048576;
  if (unit == "g" || unit == "gb" || unit == "gibibytes") return 1073741824;
  if (unit == "t" || unit == "tb" || unit == "tebibytes") return 1099511627776;
  return NaN;
}
