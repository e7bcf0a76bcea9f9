import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deniedBy, inPrivate, refusedInside, refusedOutside } from "../host/egress/address.ts";

const nothing = deniedBy([]);
const outside = refusedOutside(nothing);
const inside = refusedInside(nothing, false);

/** Ranges as bytes and a number of bits, on their own: the oracle shares nothing with what it judges. */
const FORBIDDEN_4: readonly (readonly [readonly number[], number])[] = [
  [[0], 8],
  [[10], 8],
  [[100, 64], 10],
  [[127], 8],
  [[169, 254], 16],
  [[172, 16], 12],
  [[192, 0, 0], 24],
  [[192, 0, 2], 24],
  [[192, 88, 99], 24],
  [[192, 168], 16],
  [[198, 18], 15],
  [[198, 51, 100], 24],
  [[203, 0, 113], 24],
  [[168, 63, 129, 16], 32],
  [[224], 3],
];
const FORBIDDEN_6: readonly (readonly [readonly number[], number])[] = [
  [[0x20, 0x01, 0x00], 23],
  [[0x20, 0x01, 0x0d, 0xb8], 32],
  [[0x20, 0x02], 16],
  [[0x3f, 0xfe], 16],
  [[0x3f, 0xff, 0x00], 20],
];

const bitsOf = (bytes: readonly number[]) => bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
const begins = (bytes: readonly number[]) => (block: readonly [readonly number[], number]) => {
  const [prefix, bits] = block;
  return bitsOf(bytes).slice(0, bits) === bitsOf(prefix).padEnd(32, "0").slice(0, bits);
};
const forbidden4 = (bytes: readonly number[]) => FORBIDDEN_4.some(begins(bytes));
const forbidden6 = (bytes: readonly number[]) =>
  !bitsOf(bytes).startsWith("001") || FORBIDDEN_6.some(begins(bytes));

/** The eight groups in full, or as short as they get, or with the last four bytes in decimal. */
function spelled(bytes: readonly number[], how: "full" | "short" | "mixed"): string {
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((bytes[2 * at] ?? 0) * 256 + (bytes[2 * at + 1] ?? 0)).toString(16),
  );
  if (how === "short") return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
  if (how === "mixed") return `${groups.slice(0, 6).join(":")}:${bytes.slice(12).join(".")}`;
  return groups.map((group) => group.padStart(4, "0")).join(":");
}

const byte = fc.integer({ min: 0, max: 255 });
const near = (blocks: typeof FORBIDDEN_4, length: number) =>
  fc
    .tuple(
      fc.constantFrom(...blocks),
      fc.array(byte, { minLength: length, maxLength: length }),
      fc.nat(8 * length),
    )
    .map(([[prefix, bits], random, flipped]) => {
      const rest = bitsOf(random);
      let all = bitsOf(prefix).padEnd(bits, "0").slice(0, bits) + rest.slice(bits);
      // Half of them just outside: one bit of the prefix is the other way round.
      if (flipped < bits)
        all = all.slice(0, flipped) + (all[flipped] === "0" ? "1" : "0") + all.slice(flipped + 1);
      return Array.from({ length }, (_, at) => Number.parseInt(all.slice(8 * at, 8 * at + 8), 2));
    });

describe("an address outside the cluster", () => {
  test("of IPv4 is refused exactly if its bits begin like a range that is not public", () => {
    const bytes = fc.oneof(fc.tuple(byte, byte, byte, byte), near(FORBIDDEN_4, 4));
    fc.assert(
      fc.property(bytes, (given) => (outside(given.join(".")) !== undefined) === forbidden4(given)),
      { numRuns: 20_000 },
    );
  });

  test("of IPv6 is refused exactly if it is not global unicast, or stands for an address of IPv4, in every spelling", () => {
    const random = fc.array(byte, { minLength: 16, maxLength: 16 });
    const global = random.map(([first = 0, ...rest]) => [0x20 | (first & 0x1f), ...rest]);
    const how = fc.constantFrom("full" as const, "short" as const, "mixed" as const);
    fc.assert(
      fc.property(
        fc.oneof(random, global, near(FORBIDDEN_6, 16)),
        how,
        (given, spelling) => (outside(spelled(given, spelling)) !== undefined) === forbidden6(given),
      ),
      { numRuns: 20_000 },
    );
  });

  test("that carries an address of IPv4 is refused, whatever that address is", () => {
    fc.assert(
      fc.property(byte, byte, byte, byte, (a, b, c, d) => {
        const hex = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
        return [
          `::ffff:${a}.${b}.${c}.${d}`,
          `::${hex}`,
          `64:ff9b::${hex}`,
          `64:ff9b:1::${hex}`,
          `2002:${hex}::1`,
          `2001:0:${hex}::1`,
          `::ffff:0:${hex}`,
        ].every((address) => outside(address) !== undefined);
      }),
    );
  });

  test.each([
    ["8.8.8.8", undefined],
    ["2606:4700::1111", undefined],
    ["127.0.0.1", "loopback"],
    ["10.1.2.3", "private"],
    ["172.31.255.255", "private"],
    ["172.32.0.0", undefined],
    ["192.168.1.1", "private"],
    ["169.254.169.254", "link-local"],
    ["fd00:ec2::254", "a metadata service"],
    ["168.63.129.16", "a metadata service"],
    ["100.100.100.200", "a metadata service"],
    ["100.100.100.201", "shared by carriers"],
    ["192.0.0.192", "for protocols"],
    ["0.0.0.0", "this network"],
    ["255.255.255.255", "broadcast"],
    ["239.1.1.1", "multicast"],
    ["240.0.0.1", "reserved"],
    ["198.19.0.1", "benchmarks"],
    ["::", "not public"],
    ["::1", "loopback"],
    ["fe80::1", "not public"],
    ["fec0::1", "not public"],
    ["ff02::1", "not public"],
    ["fc00::1", "private"],
    ["2606:4700::1111%eth0", "not an address"],
    ["8.8.8", "not an address"],
    ["0x8.8.8.8", "not an address"],
    ["08.8.8.8", "not an address"],
    ["", "not an address"],
  ])("%s is %s", (address, kind) => {
    expect(outside(address)).toBe(kind);
  });
});

describe("an address of a service", () => {
  test.each(["10.96.0.10", "100.64.3.4", "172.20.0.1", "240.0.0.7", "fd12::1", "34.118.224.1"])(
    "may be %s, as clusters number them",
    (address) => {
      expect(inside(address)).toBeUndefined();
    },
  );

  test.each([
    ...["127.0.0.1", "::1", "169.254.169.254", "fd00:ec2::254", "168.63.129.16", "0.0.0.0", "224.0.0.1"],
    "100.100.100.200",
    ...[
      "255.255.255.255",
      "::ffff:127.0.0.1",
      "::ffff:10.0.0.1",
      "64:ff9b::a00:1",
      "2002:a00:1::",
      "fe80::1",
    ],
  ])("may not be %s", (address) => {
    expect(inside(address)).toBeDefined();
  });

  test("is on loopback only if an administrator gave it", () => {
    expect(refusedInside(nothing, true)("127.0.0.1")).toBeUndefined();
    expect(refusedInside(nothing, true)("169.254.169.254")).toBe("link-local");
  });

  test("is refused if the administrator denied it, in the spelling of IPv6 too", () => {
    const denied = deniedBy(["10.96.0.1", "34.1.2.0/24", "2606:4700::/32"]);
    expect(refusedInside(denied, true)("10.96.0.1")).toBe("denied by the administrator");
    expect(refusedInside(denied, true)("10.96.0.2")).toBeUndefined();
    expect(refusedOutside(denied)("34.1.2.200")).toBe("denied by the administrator");
    expect(refusedOutside(denied)("2606:4700::1")).toBe("denied by the administrator");
    expect(() => deniedBy(["10.96.0.1/33"])).toThrow("out of range");
    expect(() => deniedBy(["api.example.com"])).toThrow("not an address");
  });
});

describe("an address in a network that a Tenant grants", () => {
  const denied = deniedBy(["10.20.0.1"]);
  const granted = inPrivate(["10.20.0.0/16", "fc00::/7", "192.168.7.7/32"], {
    denied,
    refusedOutside: refusedOutside(denied),
  });

  test.each(["10.20.255.254", "192.168.7.7", "fd12::1", "8.8.8.8", "2606:4700::1111"])(
    "may be %s, as may be one on the public Internet",
    (address) => {
      expect(granted(address)).toBeUndefined();
    },
  );

  test.each([
    ["10.21.0.1", "private"],
    ["192.168.7.8", "private"],
    ["172.16.0.1", "private"],
    ["10.20.0.1", "denied by the administrator"],
    ["fd00:ec2::254", "a metadata service"],
    ["::ffff:10.20.0.2", "not public"],
    ["64:ff9b::a14:2", "not public"],
  ])("may not be %s: it is %s", (address, kind) => {
    expect(granted(address)).toBe(kind);
  });

  test("is never loopback, link-local, a metadata service or anything else but private, whatever is granted", () => {
    const everything = inPrivate(["0.0.0.0/0", "::/0"], { denied: nothing, refusedOutside: outside });
    const bytes = fc.oneof(fc.tuple(byte, byte, byte, byte), near(FORBIDDEN_4, 4));
    const PRIVATE_4: typeof FORBIDDEN_4 = [
      [[10], 8],
      [[172, 16], 12],
      [[192, 168], 16],
    ];
    fc.assert(
      fc.property(bytes, (given) => {
        const open = PRIVATE_4.some(begins(given)) || !forbidden4(given);
        return (everything(given.join(".")) === undefined) === open;
      }),
      { numRuns: 20_000 },
    );
    for (const address of [
      "127.0.0.1",
      "169.254.169.254",
      "100.100.100.200",
      "::1",
      "fe80::1",
      "168.63.129.16",
    ])
      expect(everything(address)).toBeDefined();
  });
});
