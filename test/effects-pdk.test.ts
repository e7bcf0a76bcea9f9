import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileAssemblyScript } from "../launcher/build/algorithms.ts";
import { world, type World } from "./engine/asking.ts";
import { bed, type Bed } from "./engine/bed.ts";

let engine: Bed;
let server: World;
let folder: string;
beforeAll(async () => {
  engine = await bed();
  server = await world();
  folder = await mkdtemp(join(tmpdir(), "sluice-effects-"));
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const compiled = async (source: { text: string } | { file: string }) => {
  const { file } = await compileAssemblyScript(source, join(folder, "algorithm.wasm"));
  return new Uint8Array(await readFile(file));
};
const run = async (source: { text: string } | { file: string }, config: object) =>
  engine.run(
    { plan: await compiled(source) },
    { effects: server.perform, texts: { config: JSON.stringify(config) } },
  );

describe("the PDK for AssemblyScript", () => {
  const ASKING = `import { answer, Fields, http, read, Request } from "@sluice/pdk";
export function plan(): i32 {
  const base = read().config.text("base");
  const request = new Request(base + "/posted", "POST").header("x-asked", "yes \\"indeed\\"");
  request.body = "wörds";
  const posted = http.send(request);
  const failed = http.get(base + "/status/503");
  const none = http.get("http://127.0.0.1:1/");
  return answer(new Fields()
    .number("status", posted.status).text("from", posted.header("x-from")).text("path", posted.value.text("path"))
    .text("none", posted.header("x-none")).flag("ok", posted.ok)
    .number("failed", failed.status).flag("failedOk", failed.ok).text("failedSays", failed.value.text("path"))
    .number("unanswered", none.status).text("why", none.error).text("empty", none.body));
}`;

  test("sends method, headers and body, and reads status, headers and body", async () => {
    const { answers } = await run({ text: ASKING }, { base: server.origin });
    expect(JSON.parse(answers.plan ?? "")).toEqual({
      status: 200,
      from: "the server",
      path: "/posted",
      none: "",
      ok: true,
      failed: 503,
      failedOk: false,
      failedSays: "/status/503",
      unanswered: 0,
      why: "Unreachable",
      empty: "",
    });
    expect(server.asked).toEqual(["POST /posted wörds", "GET /status/503"]);
  });

  test("names the server's answer where it is not what was looked for", async () => {
    const text = `import { answer, http, Plan, read } from "@sluice/pdk";
export function plan(): i32 {
  http.get(read().config.text("base")).value.whole("path");
  return answer(new Plan());
}`;
    await expect(run({ text }, { base: `${server.origin}/x` })).rejects.toMatchObject({
      code: "GuestFailed",
      message: 'plan: path: a number is needed, found "/x"',
    });
  });

  test("does not import what an algorithm does not use", async () => {
    const module = await compiled({ file: "pdk/assemblyscript/examples/source.ts" });
    const { imports } = await engine.inspect(module);
    expect(imports.filter((name) => name.includes("http"))).toEqual([]);
  });
});

describe("the example", () => {
  const FORECASTS: Readonly<Record<string, readonly [number, string]>> = {
    "/split": [200, '{"more":"/split/tomorrow"}'],
    "/split/tomorrow": [200, '{"rate":420}'],
    "/count": [503, "not now"],
  };
  let forecast: Server;
  beforeAll(async () => {
    forecast = createServer((request, response) => {
      const [status, body] = FORECASTS[request.url ?? ""] ?? [404, ""];
      response.writeHead(status).end(body);
    });
    await new Promise<void>((resolve) => forecast.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => new Promise((resolve) => forecast.close(resolve)));

  test("asks two services beside each other, follows one, and leaves alone what the other cannot say", async () => {
    const base = `http://127.0.0.1:${(forecast.address() as AddressInfo).port}`;
    const result = await run({ file: "pdk/assemblyscript/examples/http.ts" }, { forecast: base });
    expect(JSON.parse(result.answers.plan ?? "")).toEqual({ nodes: { split: { parallelism: 5 } } });
    expect(result.logs).toEqual([{ step: "plan", level: "warn", text: "count: 503" }]);
    expect(result.journal.plan?.map(({ kind, answers }) => [kind, answers.length])).toEqual([
      ["batch", 2],
      ["http", 1],
    ]);
    const module = await compiled({ file: "pdk/assemblyscript/examples/http.ts" });
    const order = engine.order({ plan: module }, { texts: { config: JSON.stringify({ forecast: base }) } });
    const again = await engine.engine.replay(order, result);
    expect(again.answers).toEqual(result.answers);
  });
});
