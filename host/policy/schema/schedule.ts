import { Type } from "typebox";
import type { Problem } from "../../fault/index.ts";
import { timesProblem } from "../window.ts";
import { bounds } from "./bounds.ts";
import { block, dnsLabel, duration, exactlyOne, flag, listBy, text } from "./field.ts";

/** A time that comes again, in five fields. */
export const cron = (description: string) =>
  text(`${description} Five fields: minute, hour, day of the month, month, day of the week.`, {
    maxLength: 100,
    pattern: "^[^ ]+( [^ ]+){4}$",
  });

export const timeZone = () =>
  text(
    "Time zone of the times, by its name in the IANA database, such as `Europe/Vienna`.",
    {
      maxLength: 64,
      pattern: "^[A-Za-z][A-Za-z0-9_+/-]*$",
    },
    { default: "UTC" },
  );

export const schedule = block(
  "When passes run.",
  {
    interval: duration("Time from the start of a pass to the start of the next.", "1s", "24h", {
      default: "15s",
    }),
    startAfter: duration(
      "Time from when a policy is made to its first pass; an operator that starts later does not wait again.",
      "0s",
      "24h",
      {
        default: "0s",
      },
    ),
  },
  { default: {} },
);

const window = block(
  "A time that comes again and has other bounds, or in which nothing moves. Exactly one of bounds and freeze.",
  {
    name: dnsLabel("Name of the window, for conditions and events."),
    start: cron("When the window begins."),
    end: cron("When it ends."),
    timeZone: timeZone(),
    bounds: Type.Optional(bounds("These bounds take the place of guardrails.bounds.")),
    freeze: Type.Optional(flag("Nothing is scaled while the window lasts.")),
  },
  {
    rules: [exactlyOne(["bounds", "freeze"], "a window has other bounds or a freeze: name exactly one")],
    checks: [timesCanCome],
  },
);

export const windows = listBy("name", "Times with other bounds or a freeze, at most 20.", window, {
  max: 20,
});

function timesCanCome({ start, end, timeZone }: { start: string; end: string; timeZone: string }): Problem[] {
  return Object.entries({ start, end }).flatMap(([field, pattern]) => {
    const problem = timesProblem(pattern, timeZone);
    return problem === undefined
      ? []
      : [{ field: `.${field}`, message: `is no time that comes again: ${problem}` }];
  });
}
