import { expect, test } from "vitest";
import { edgesByTopic } from "../host/driver/kafka-streams/edges.ts";

const reader = (name: string, ...topics: string[]) => ({ name, applicationId: `app-of-${name}`, topics });

test("whoever reads a topic that is named after an application is fed by it", () => {
  const readers = [
    reader("a", "clicks"),
    reader("b", "app-of-a-words", "other"),
    reader("c", "app-of-b-out"),
  ];
  expect(edgesByTopic(readers, [])).toEqual([
    { from: "a", to: "b" },
    { from: "b", to: "c" },
  ]);
});

test("what the policy says stands, and is not said twice", () => {
  const readers = [reader("a", "clicks"), reader("b", "app-of-a-words")];
  expect(edgesByTopic(readers, [{ from: "a", to: "b" }])).toEqual([]);
});

test("internal topics of an application come from nobody else, also where another's id is the beginning of its own", () => {
  const clicks = { name: "clicks", applicationId: "clicks", topics: ["in"] };
  const own = ["raw", "clicks-by-user-KSTREAM-3-repartition"];
  const byUser = { name: "by-user", applicationId: "clicks-by-user", topics: own };
  expect(edgesByTopic([clicks, byUser], [])).toEqual([]);
});

test("of two applications whose ids a topic's name begins with, the one with the longer id writes it", () => {
  const readers = [
    { name: "clicks", applicationId: "clicks", topics: ["in"] },
    { name: "by-user", applicationId: "clicks-by-user", topics: ["clicks-raw"] },
    { name: "store", applicationId: "store", topics: ["clicks-by-user-counts"] },
  ];
  expect(edgesByTopic(readers, [])).toEqual([
    { from: "clicks", to: "by-user" },
    { from: "by-user", to: "store" },
  ]);
});

test("two nodes of one application feed each other nothing", () => {
  const one = { applicationId: "count", topics: ["in", "count-KSTREAM-1-repartition"] };
  expect(
    edgesByTopic(
      [
        { name: "a", ...one },
        { name: "b", ...one },
      ],
      [],
    ),
  ).toEqual([]);
});
