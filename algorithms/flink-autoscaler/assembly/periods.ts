import { fail } from "@sluice/pdk";

const DAY_MS: f64 = 86_400_000;
const MONTHS: string[] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: string[] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/**
 * Whether the local time, in milliseconds since 1970 as if it were UTC, is in a period: a time of day such as
 * `14:01:20-16:00:00`, a Quartz cron expression with 6 or 7 fields, or both joined by `&&`.
 */
export function inPeriod(expression: string, localMs: f64): bool {
  const parts = expression.split("&&");
  if (parts.length > 2) fail(`config.excluded.periods: "${expression}" joins more than two conditions`);
  let inside = true;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i].trim();
    if (!(part.includes(" ") ? new Cron(part).includes(localMs) : inDay(part, localMs))) inside = false;
  }
  return inside;
}

/** From `h:mm[:ss[:mmm]]` to the same, both included, of every day. */
function inDay(range: string, localMs: f64): bool {
  const ends = range.split("-");
  if (ends.length != 2) fail(`config.excluded.periods: "${range}" is neither a time of day nor a cron expression`);
  const from = timeOfDay(ends[0]);
  const to = timeOfDay(ends[1]);
  if (!(from < to)) fail(`config.excluded.periods: "${range}" ends before it begins`);
  const now = localMs - Math.floor(localMs / DAY_MS) * DAY_MS;
  return from <= now && now <= to;
}

function timeOfDay(text: string): f64 {
  const parts = text.trim().split(":");
  let ms: f64 = 0;
  let unit: f64 = 3_600_000;
  for (let i = 0; i < 4; i++) {
    const value = i < parts.length ? parseFloat(parts[i]) : 0;
    const limit: f64 = i == 0 ? 23 : i == 3 ? 999 : 59;
    if (parts.length < 2 || parts.length > 4 || !(value >= 0 && value <= limit))
      fail(`config.excluded.periods: "${text}" is no time of day, such as 9:30 or 14:01:20`);
    ms += value * unit;
    unit = i < 2 ? unit / 60 : 1;
  }
  return ms;
}

/** A Quartz cron expression: second, minute, hour, day of month, month, day of week and, if it is there, year. */
class Cron {
  private fields: string[];

  constructor(readonly expression: string) {
    this.fields = expression.toUpperCase().split(" ").filter((field) => field.length > 0);
    if (this.fields.length != 6 && this.fields.length != 7) this.refuse();
    const both = this.fields[3] != "?" && this.fields[5] != "?";
    const neither = this.fields[3] == "?" && this.fields[5] == "?";
    if (both || neither) this.refuse();
  }

  includes(localMs: f64): bool {
    const at = new Date(<i64>localMs);
    const day = at.getUTCDate();
    const month = at.getUTCMonth() + 1;
    const year = at.getUTCFullYear();
    return (
      this.has(0, at.getUTCSeconds(), 0, 59) &&
      this.has(1, at.getUTCMinutes(), 0, 59) &&
      this.has(2, at.getUTCHours(), 0, 23) &&
      this.hasDay(day, month, year) &&
      this.has(4, month, 1, 12) &&
      this.hasDayOfWeek(day, month, year, at.getUTCDay() + 1) &&
      (this.fields.length == 6 || this.has(6, year, 1970, 2099))
    );
  }

  /** `L` is the last day of the month, `L-3` three before it, `15W` the weekday nearest to the 15th. */
  private hasDay(day: i32, month: i32, year: i32): bool {
    const field = this.fields[3];
    if (field == "?") return true;
    const last = daysOf(month, year);
    if (field == "L") return day == last;
    if (field == "LW") return day == weekdayNear(last, month, year);
    if (field.startsWith("L-")) return day == last - this.number(field.substring(2));
    if (field.endsWith("W")) return day == weekdayNear(this.number(field.substring(0, field.length - 1)), month, year);
    return this.has(3, day, 1, 31);
  }

  /** From 1, Sunday, to 7; `6L` is the last Friday of the month, `6#3` the third one. */
  private hasDayOfWeek(day: i32, month: i32, year: i32, weekday: i32): bool {
    const field = this.fields[5];
    if (field == "?") return true;
    if (field == "L") return weekday == 7;
    if (field.endsWith("L"))
      return weekday == this.number(field.substring(0, field.length - 1)) && day + 7 > daysOf(month, year);
    const nth = field.indexOf("#");
    if (nth > 0)
      return weekday == this.number(field.substring(0, nth)) && (day + 6) / 7 == this.number(field.substring(nth + 1));
    return this.has(5, weekday, 1, 7);
  }

  private has(at: i32, value: i32, least: i32, most: i32): bool {
    const parts = this.fields[at].split(",");
    for (let i = 0; i < parts.length; i++) if (this.hasPart(parts[i], value, least, most)) return true;
    return false;
  }

  /** `*`, `5`, `5-9`, and each with a step such as `/15`. A range may go past the end and begin anew. */
  private hasPart(part: string, value: i32, least: i32, most: i32): bool {
    const slash = part.indexOf("/");
    const step = slash < 0 ? 1 : this.number(part.substring(slash + 1));
    const range = slash < 0 ? part : part.substring(0, slash);
    if (step < 1) this.refuse();
    if (range == "*" || range == "") return (value - least) % step == 0;
    const dash = range.indexOf("-");
    const from = this.number(dash < 0 ? range : range.substring(0, dash));
    const to = dash >= 0 ? this.number(range.substring(dash + 1)) : slash < 0 ? from : most;
    if (from < least || from > most || to < least || to > most) this.refuse();
    const around = to < from ? most - least + 1 : 0;
    const place = value < from ? value + around : value;
    return place >= from && place <= to + around && (place - from) % step == 0;
  }

  private number(text: string): i32 {
    const month = MONTHS.indexOf(text);
    if (month >= 0) return month + 1;
    const day = DAYS.indexOf(text);
    if (day >= 0) return day + 1;
    const number = parseFloat(text);
    if (!(number >= 0 && Math.floor(number) == number && number < 10_000)) this.refuse();
    return <i32>number;
  }

  private refuse(): void {
    fail(`config.excluded.periods: "${this.expression}" is no time of day and no Quartz cron expression`);
  }
}

function daysOf(month: i32, year: i32): i32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/** The weekday nearest to a day, within its month. */
function weekdayNear(day: i32, month: i32, year: i32): i32 {
  const last = daysOf(month, year);
  const target = min(day, last);
  const weekday = new Date(<i64>Date.UTC(year, month - 1, target)).getUTCDay();
  if (weekday == 6) return target == 1 ? target + 2 : target - 1;
  if (weekday == 0) return target == last ? target - 2 : target + 1;
  return target;
}
