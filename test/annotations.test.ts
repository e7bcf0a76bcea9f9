import { expect, test } from "vitest";
import { readByHand } from "../host/operator/annotations.ts";
import { policy } from "./builders.ts";

const now = new Date("2026-03-01T12:00:00Z");
const paused = (text: string) =>
  readByHand({ annotations: { "sluice.dev/paused": text } }, now, policy()).pausedUntilMs;

test("a policy is paused by hand until it is said otherwise, or until a time", () => {
  expect(readByHand({ annotations: {} }, now, policy()).pausedUntilMs).toBeUndefined();
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

const read = (annotations: Record<string, string>) => readByHand({ annotations }, now, policy());
const override = (text: string) => read({ "sluice.dev/override": text });

test("numbers hold until their time, and no longer", () => {
  const held = override(`{"nodes":{"split":5},"until":"2026-03-01T12:05:00Z"}`);
  expect([...held.byHand.override]).toEqual([["split", 5]]);
  expect(held.nextMs).toBe(Date.parse("2026-03-01T12:05:00Z"));
  const over = override(`{"nodes":{"split":5},"until":"2026-03-01T12:00:00Z"}`);
  expect([over.byHand.override.size, over.nextMs]).toEqual([0, Infinity]);
});

test("one direction is paused, or the other, until it is said otherwise or a time", () => {
  const up = read({ "sluice.dev/pause-scale-up": "true" });
  expect([up.byHand.isUpPaused, up.byHand.isDownPaused, up.nextMs]).toEqual([true, false, Infinity]);
  const down = read({ "sluice.dev/pause-scale-down": "2026-03-01T12:01:00Z" });
  expect([down.byHand.isUpPaused, down.byHand.isDownPaused]).toEqual([false, true]);
  expect(down.nextMs).toBe(Date.parse("2026-03-01T12:01:00Z"));
  expect(read({ "sluice.dev/take-back": "true" }).byHand.takesBack).toBe(true);
});

test.each([
  "5",
  "{",
  "null",
  `{"nodes":{"split":5}}`,
  `{"nodes":{},"until":"2026-03-01T12:05:00Z"}`,
  `{"nodes":{"split":5},"until":"soon"}`,
  `{"nodes":{"split":-1},"until":"2026-03-01T12:05:00Z"}`,
  `{"nodes":{"split":1.5},"until":"2026-03-01T12:05:00Z"}`,
  `{"nodes":{"split":"5"},"until":"2026-03-01T12:05:00Z"}`,
  `{"nodes":{"spilt":5},"until":"2026-03-01T12:05:00Z"}`,
  `{"nodes":{"constructor":5},"until":"2026-03-01T12:05:00Z"}`,
  `{"nodes":{"split":5},"until":"2026-03-01T12:05:00Z","forever":true}`,
])("numbers that cannot be understood are told with what is to be written, and not guessed: %s", (text) => {
  expect(() => override(text)).toThrow(
    expect.objectContaining({
      code: "PolicyInvalid",
      field: "metadata.annotations[sluice.dev/override]",
      remedy:
        'Write a whole number for nodes of the policy (split) and a time: {"nodes":{"split":5},"until":"2026-03-01T12:00:00Z"}',
    }) as Error,
  );
});

test.each(["sluice.dev/pause-scale-up", "sluice.dev/pause-scale-down", "sluice.dev/take-back"])(
  "%s is not guessed either",
  (name) => {
    expect(() => read({ [name]: "perhaps" })).toThrow(
      expect.objectContaining({ code: "PolicyInvalid", field: `metadata.annotations[${name}]` }) as Error,
    );
  },
);
