import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { world, type World } from "./engine/asking.ts";
import { bed, type Bed } from "./engine/bed.ts";
import { build, HERE, LANGUAGES, type Language } from "./guests/build.ts";
import { NoToolchain, NotComparable, sha256 } from "./guests/toolchain.ts";

let engine: Bed;
let server: World;
beforeAll(async () => {
  engine = await bed();
  server = await world();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const kept = async (language: Language) => new Uint8Array(await readFile(join(HERE, `${language}.wasm`)));
const sample = (node: string, value: number) => ({ labels: {}, node, value, at: "2026-11-22T10:00:00.000Z" });
const node = (name: string) => ({
  ...{ name, kind: "Deployment", parallelism: 1, ready: 1, min: 1, max: 64, attributes: {} },
});
const texts = (url = "") => ({
  iteration: JSON.stringify({ id: "7@noon", number: 7, time: "2026-11-22T10:00:00.000Z" }),
  policy: JSON.stringify({ namespace: "team-a", name: "clicks" }),
  topology: JSON.stringify({ nodes: [node("split"), node("count"), node("sink")], edges: [] }),
  sources: JSON.stringify({
    rates: {
      at: "2026-11-22T10:00:00.000Z",
      series: [sample("split", 420), sample("count", 90), sample("count", 100.5)],
    },
  }),
  history: "[]",
  config: JSON.stringify({ url }),
});

describe.each(LANGUAGES)("a guest written in %s", (language) => {
  test("is what its hash says", async () => {
    const said = await readFile(join(HERE, `${language}.wasm.sha256`), "utf8");
    expect(sha256(await kept(language))).toBe(said.trim());
  });

  test("plans: 420 and 190.5 a second at 100 an instance make 5 and 2, with the same fuel every time", async () => {
    const module = await kept(language);
    const first = await engine.run({ plan: module }, { texts: texts() });
    expect(JSON.parse(first.answers.plan ?? "")).toEqual({
      nodes: expect.objectContaining({
        split: expect.objectContaining({ parallelism: 5 }),
        count: expect.objectContaining({ parallelism: 2 }),
      }),
    });
    const second = await engine.run({ plan: module }, { texts: texts(), tenant: "team-b" });
    expect(second.answers).toEqual(first.answers);
    expect(second.fuel).toEqual(first.fuel);
  });

  test("asks over HTTP as its language does, and is answered from the journal when it runs again", async () => {
    server.asked.length = 0;
    const module = await kept(language);
    const options = { texts: texts(`${server.origin}/a`), effects: server.perform };
    const first = await engine.run({ monitor: module }, options);
    const { status, body } = JSON.parse(first.answers.monitor ?? "") as { status: number; body: string };
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ path: "/a" });
    expect(server.asked).toEqual(["GET /a"]);
    const again = await engine.engine.replay(engine.order({ monitor: module }, options), first);
    expect(again.answers).toEqual(first.answers);
    expect(server.asked).toEqual(["GET /a"]);
  });

  test("is built again to the same bytes, where there is a toolchain for it", async (context) => {
    const built = await build(language).catch((thrown: unknown) => {
      if (thrown instanceof NoToolchain) return context.skip(`not compared: ${thrown.message}`);
      if (!(thrown instanceof NotComparable)) throw thrown;
      // A registry that is away says nothing of the guest.
      process.stdout.write(`the guest in ${language} was not compared: ${thrown.message}\n`);
      return kept(language);
    });
    expect(sha256(built)).toBe(sha256(await kept(language)));
  }, 300_000);
});
