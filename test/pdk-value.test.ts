import { describe, expect, test } from "vitest";
import { compileAndCall } from "./stock.ts";

const run = (text: string, input: unknown) => compileAndCall({ text }, "plan", input);

const READS = `import { answer, Fields, read } from "@sluice/pdk";
export function plan(): i32 {
  const config = read().config;
  const ask = config.text("ask");
  const found = new Fields();
  if (ask == "number") found.number("is", config.number("x"));
  if (ask == "numberOr7") found.number("is", config.number("x", 7));
  if (ask == "whole") found.number("is", config.whole("x"));
  if (ask == "text") found.text("is", config.text("x"));
  if (ask == "flag") found.flag("is", config.flag("x"));
  if (ask == "object") found.number("is", config.object("x").number("y"));
  if (ask == "list") found.number("is", config.list("x")[1].asNumber());
  if (ask == "keys") found.text("is", config.object("x").keys().join(","));
  if (ask == "json") found.copy("is", config.object("x"));
  return answer(found);
}
`;
describe("nothing that is read is guessed", () => {
  const ask = (what: string, x: string) =>
    run(READS, `{"config": {"ask": "${what}"${x === "" ? "" : `, "x": ${x}`}}}`);

  test.each([
    ["number", "420", 420],
    ["number", "-4.25e1", -42.5],
    ["numberOr7", "", 7],
    ["numberOr7", "0", 0],
    ["whole", "2147483647", 2_147_483_647],
    ["text", '"Zürich 🚀 \\u00e4\\n\\"\\\\\\ud83d\\ude80"', 'Zürich 🚀 ä\n"\\🚀'],
    ["flag", "true", true],
    ["flag", "", false],
    ["object", '{"z": {"y": 1}, "y": 2, "é": 3}', 2],
    ["object", '{"y": 1, "\\u0079": 2}', 2],
    ["list", "[1, [2, 3], 4]", undefined],
    ["list", "[[1], 2]", 2],
    ["keys", '{"a": 1, "ö": {"b": 2}}', "a,ö"],
    ["json", '{"big": 9007199254740993}', { big: 9_007_199_254_740_992 }],
  ])("%s of %s is %j", async (what, x, is) => {
    expect((await ask(what, x)).answer).toEqual(is === undefined ? undefined : { is });
  });

  test.each([
    ["number", "", "config.x: is missing"],
    ["number", "null", "config.x: a number is needed, found null"],
    ["numberOr7", "null", "config.x: a number is needed, found null"],
    ["number", '"5"', 'config.x: a number is needed, found "5"'],
    ["number", "1e999", "config.x: a finite number is needed, found 1e999"],
    ["whole", "2.7", "config.x: a whole number of 32 bits is needed, found 2.7"],
    ["whole", "4294967296", "config.x: a whole number of 32 bits is needed, found 4294967296"],
    ["text", "5", "config.x: a text is needed, found 5"],
    ["flag", "1", "config.x: true or false is needed, found 1"],
    ["object", "[]", "config.x: an object is needed, found []"],
    ["object", '{"y": false}', "config.x.y: a number is needed, found false"],
    ["list", "{}", "config.x: a list is needed, found {}"],
    ["list", '[1, "2"]', 'config.x[1]: a number is needed, found "2"'],
  ])("%s of %s fails, and says where and why", async (what, x, message) => {
    expect((await ask(what, x)).error).toBe(message);
  });

  test("what is not JSON fails, however it is broken", async () => {
    const broken = [
      "",
      "5",
      "null",
      "[]",
      "{",
      '{"config"',
      '{"config":',
      '{"config": {"ask',
      '{"config": {"ask": "x"',
    ];
    for (const text of [...broken, "{:1}", "{1:2}"]) {
      expect(await run(READS, text)).toMatchObject({
        answer: undefined,
        error: expect.stringMatching(/^(input|config)/),
      });
    }
  });

  test("depth costs no stack", async () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const { answer } = await run(READS, `{"config": {"x": ${deep}, "ask": "none"}}`);
    expect(answer).toEqual({});
  });
});
