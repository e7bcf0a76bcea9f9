import { expect, test } from "vitest";
import { readByHand } from "../host/operator/annotations.ts";

const now = new Date("2026-03-01T12:00:00Z");
const paused = (text: string) =>
  readByHand({ annotations: { "sluice.dev/paused": text } }, now).pausedUntilMs;

test("a policy is paused by hand until it is said otherwise, or until a time", () => {
  expect(readByHand({ annotations: {} }, now).pausedUntilMs).toBeUndefined();
  expect(paused("true")).toBe(Infinity);
  expect(paused("false")).toBeUndefined();
  expect(paused("2026-03-01T13:00:00+01:00")).toBeUndefined();
  expect(paused("2026-03-01T12:00:01Z")).toBe(Date.parse("2026-03-01T12:00:01Z"));
});

test.each(["yes", "", "1", "2026-03-01", "2026-13-01T00:00:00Z", "tomorrow"])(
  "what cannot be understood is told with the annotation and what it takes, and not guessed: %j",
  (text) => {
    expect(() => paused(text)).toThrow(
      expect.objectContaining({
        code: "PolicyInvalid",
        field: "metadata.annotations[sluice.dev/paused]",
        remedy: "Write true, false, or a time such as 2026-03-01T12:00:00Z.",
      }) as Error,
    );
  },
);
