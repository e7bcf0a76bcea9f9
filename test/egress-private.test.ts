import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deniedNow, refusedOutside } from "../host/egress/address.ts";
import { egressPast } from "../host/egress/egress.ts";
import type { CeilingRule } from "../host/policy/index.ts";
import { get, grant, httpBed, leave, NEVER, outcome, PUBLIC, type Bed } from "./egress/bed.ts";

let server: Bed;
beforeAll(async () => {
  server = await httpBed((_, response) => response.end("ok"));
});
afterAll(leave);

const HOST = "forecast.corp.example.com";
const rule = (rest: Partial<CeilingRule> = {}): CeilingRule => ({
  host: HOST,
  scheme: "http",
  port: server.port,
  ...rest,
});
const NETWORK = `${PUBLIC}/32`;
let denied: readonly string[] = [];

/** What asking the host comes to, where the address that the server has on this machine stands for a private one. */
async function asking(addresses: readonly string[], ...granted: readonly CeilingRule[]): Promise<string> {
  const never = deniedNow(() => denied);
  const outside = refusedOutside(never);
  const out = egressPast(
    {
      endpoint: () => Promise.reject(new Error("no service was expected")),
      resolve: () => Promise.resolve(addresses),
    },
    never,
    (address) => (address === PUBLIC ? "private" : outside(address)),
  );
  const within = grant([rule()], { ceiling: { hosts: granted, services: true } });
  const work = out.perform(get(`http://${HOST}:${server.port}/`), within, NEVER);
  return work.then(
    (answer) => outcome(Promise.resolve(answer)),
    (thrown: Error) => thrown.message,
  );
}
const refused = (why: string) => `${HOST} is at an address that may not be connected to: ${why}`;

describe("a host at a private address", () => {
  test("is asked only if the Tenant's rule for this host names its network", async () => {
    expect(await asking([PUBLIC], rule({ networks: [NETWORK] }))).toBe("200 ok");
    expect(server.accepted()).toBe(1);
    const another = rule({ host: "other.corp.example.com", networks: [NETWORK] });
    expect(await asking([PUBLIC], rule())).toBe(refused("private"));
    expect(await asking([PUBLIC], rule({ networks: ["10.0.0.0/8"] }))).toBe(refused("private"));
    expect(await asking([PUBLIC], rule(), another)).toBe(refused("private"));
    expect(server.accepted()).toBe(1);
  });

  test("is not asked if any of its addresses is outside the network", async () => {
    for (const [address, why] of [
      ["10.1.1.1", "private"],
      ["127.0.0.1", "loopback"],
      ["169.254.169.254", "link-local"],
    ] as const)
      expect(await asking([PUBLIC, address], rule({ networks: [NETWORK] }))).toBe(refused(why));
  });

  test("is not asked any longer once its address is the API server's", async () => {
    const granted = rule({ networks: [NETWORK] });
    expect(await asking([PUBLIC], granted)).toBe("200 ok");
    denied = [PUBLIC];
    expect(await asking([PUBLIC], granted)).toBe(refused("denied by the administrator"));
    denied = [];
  });
});
