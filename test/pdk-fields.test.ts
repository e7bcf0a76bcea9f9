import { expect, test } from "vitest";
import { inputOf, sampleOf, valuesOf } from "./step-input.ts";
import { compileAndCall } from "./stock.ts";

const source = `
import { answer, Fields, Plan, read } from "@sluice/pdk";
export function plan(): i32 {
  const step = read();
  const many = step.config.object("many");
  const rates = step.source("rates");
  const plan = new Plan();
  plan.want("last", many.number("n19") + many.number("twice"), many.has("n20") ? "there" : "missing");
  plan.want("samples", rates.count("split") * 10 + rates.count("count"), many.keys().join(" "));
  plan.remember(new Fields().copy("kept", many.field("o")).copy("number", many.field("n7")));
  return answer(plan);
}`;

test("an object with many fields is looked up like a small one, and any field of it can be copied as it was", async () => {
  const names = Array.from({ length: 20 }, (_, i) => `n${i}`);
  const many = `{${names.map((name, i) => `"${name}":${i}`).join(",")},"twice":1,"tw\\u0069ce":2,"o":{"a":[1.0,null]}}`;
  const { sources, ...input } = inputOf({
    sources: { rates: valuesOf(sampleOf("split", 1), sampleOf("split", 2), sampleOf("other", 3)) },
    config: {},
  });
  const text = JSON.stringify({ ...input, sources, config: "here" }).replace('"here"', `{"many":${many}}`);
  const { answer, error } = await compileAndCall({ text: source }, "plan", text);
  expect(error).toBeUndefined();
  expect(answer).toEqual({
    nodes: {
      last: { parallelism: 21, reason: "missing" },
      samples: { parallelism: 20, reason: [...names, "twice", "twice", "o"].join(" ") },
    },
    carry: { kept: { a: [1, null] }, number: 7 },
  });
});
