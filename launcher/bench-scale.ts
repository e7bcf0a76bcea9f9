// `npm run bench:scale`: what one operator does with 10,000 policies. It takes a quarter of an hour and the whole machine.
import { parseArgs } from "node:util";
import { benchScale, type Scale } from "../test/bench/scale/scale.ts";

const { values } = parseArgs({
  options: {
    tenants: { type: "string" },
    policies: { type: "string" },
    isolation: { type: "string" },
    seconds: { type: "string" },
    interval: { type: "string" },
  },
});
const FLAGS = ["--concurrency", "256", "--sandboxes", "4", "--informer", "bench.sluice.dev/v1/Work"];
const { tenants, policies, isolation, seconds = "120", interval = "15" } = values;
const common = { intervalSeconds: Number(interval), seconds: Number(seconds), flags: FLAGS };
const all: readonly Scale[] =
  tenants === undefined
    ? [
        { tenants: 500, policies: 20, isolation: "shared", ...common },
        { tenants: 20, policies: 100, isolation: "tenant", ...common },
      ]
    : [
        {
          tenants: Number(tenants),
          policies: Number(policies ?? "20"),
          isolation: isolation === "tenant" ? "tenant" : "shared",
          ...common,
        },
      ];
for (const scale of all) {
  for (const { what, figure } of await benchScale(scale))
    process.stdout.write(`${what.padEnd(88)} ${figure}\n`);
}
