import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { credentialsOf, formatReference, parseReference } from "../host/artifact/index.ts";
import { Fault } from "../host/fault/index.ts";

const HEX = "0123456789abcdef".repeat(4);

const A_REGISTRY = "is not a registry: a lower-case host name or address, and a port";

/** The message of the fault that this text is answered with; undefined if it is a reference. */
function problem(text: string): string | undefined {
  try {
    parseReference(text);
    return undefined;
  } catch (thrown) {
    return thrown instanceof Fault && thrown.code === "PolicyInvalid"
      ? thrown.message
      : `not a fault: ${String(thrown)}`;
  }
}

const ODD = Array.from("aZ09.:/@-_%?#[]\\ \u0000é");

/** Whether the text is refused with a fault, or means what it says. */
const sound = (text: string) => {
  const refused = problem(text);
  if (refused !== undefined) return !refused.includes("not a fault");
  const reference = parseReference(text);
  // What it asks for cannot lead out of the repository.
  return formatReference(reference) === text && !/\.\.|[^a-z0-9._/-]/.test(reference.repository);
};

describe("a reference", () => {
  test("is taken apart into host, repository, tag and digest", () => {
    expect(parseReference(`oci://registry.example:5000/team-a/ds2:1.0@sha256:${HEX}`)).toEqual({
      host: "registry.example:5000",
      repository: "team-a/ds2",
      tag: "1.0",
      digest: `sha256:${HEX}`,
    });
    expect(parseReference("oci://[::1]:5000/a").host).toBe("[::1]:5000");
    expect(parseReference("oci://embedded/algorithms/threshold").tag).toBeUndefined();
  });

  test.each([
    ["registry.example/a:1", "A reference begins with oci://"],
    ["oci://registry.example", "The reference names a registry and no repository"],
    ["oci://Registry.example/a", `"Registry.example" ${A_REGISTRY}`],
    ["oci://registry.example:0/a", `"registry.example:0" ${A_REGISTRY}`],
    ["oci://registry.example:65536/a", `"registry.example:65536" ${A_REGISTRY}`],
    ["oci://registry.example/A", '"A" is not a repository: lower-case words with slashes between'],
    ["oci://registry.example/a/../b", '"a/../b" is not a repository: lower-case words with slashes between'],
    ["oci://registry.example/a//b", '"a//b" is not a repository: lower-case words with slashes between'],
    ["oci://registry.example/a?b=c", '"a?b=c" is not a repository: lower-case words with slashes between'],
    ["oci://registry.example/a:", '"" is not a tag'],
    ["oci://registry.example/a:b:c", '"b:c" is not a tag'],
    [
      "oci://registry.example/a@sha256:12",
      '"sha256:12" is not a digest: sha256: and 64 lower-case hexadecimal figures',
    ],
    [
      `oci://registry.example/a@sha512:${HEX}${HEX}`,
      `"sha512:${HEX}01234567…" is not a digest: sha256: and 64 lower-case hexadecimal figures`,
    ],
  ])("that is %s is refused", (text, message) => {
    expect(problem(text)).toBe(message);
  });

  test("to an address in another spelling is refused, because the next reader would take it for another host", () => {
    const spellings = [
      "2130706433",
      "0x7f000001",
      "127.1",
      "0177.0.0.1",
      "127.0.0.1.",
      "[::ffff:127.0.0.1%25lo]",
    ];
    expect(spellings.filter((host) => problem(`oci://${host}/a`)?.endsWith(A_REGISTRY) !== true)).toEqual([]);
  });

  test("with a password in it is refused without repeating the password", () => {
    expect(problem("oci://me:hunter2@registry.example/a")).toBe(
      "The reference carries a user name: credentials come from a Secret, never from here",
    );
  });

  test("of more than 512 characters is refused by its length alone", () => {
    expect(problem(`oci://registry.example/${"a".repeat(490)}`)).toBe(
      "A reference has at most 512 characters, this one has 513",
    );
  });

  test("names the field that it stands in", () => {
    expect(() => parseReference("nonsense", "spec.algorithm.artifact")).toThrow(
      expect.objectContaining({ field: "spec.algorithm.artifact", code: "PolicyInvalid" }),
    );
  });

  test("is written back exactly as it was read", () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const part = fc
      .tuple(word, fc.constantFrom("", ".", "_", "__", "-", "---"), word)
      .map((all) => all.join(""));
    const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
    const host = fc
      .tuple(label, label, fc.option(fc.integer({ min: 1, max: 65_535 })))
      .map(([a, b, port]) => `${a}.${b}${port === null ? "" : `:${port}`}`);
    const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,30}$/), { nil: undefined });
    const digest = fc.option(
      fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}` as const),
      { nil: undefined },
    );
    const repository = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(fc.record({ host, repository, tag, digest }), (reference) => {
        expect(parseReference(formatReference(reference))).toEqual(reference);
      }),
    );
  });

  test("is either refused with a fault or read and written back without a change, whatever the text", () => {
    const letters = fc.string({ unit: fc.constantFrom(...ODD), maxLength: 60 });
    const text = fc
      .tuple(fc.constantFrom("oci://", "oci://a.b/", `oci://a/b@sha256:${HEX}`, ""), letters)
      .map((all) => all.join(""));
    const { failed } = fc.check(fc.property(text, sound), { numRuns: 2_000 });
    expect(failed).toBe(false);
  });
});

describe("a docker configuration", () => {
  const field = "spec.algorithm.pullSecrets[0]";
  const read = (auths: unknown) => credentialsOf([{ text: JSON.stringify({ auths }), field }]);
  const refused = (text: string) => {
    try {
      return String(credentialsOf([{ text, field }]).size);
    } catch (thrown) {
      return thrown instanceof Fault ? `${thrown.code} ${thrown.field}: ${thrown.message}` : String(thrown);
    }
  };

  test("gives name and password from `auth`, or from the two fields", () => {
    const auth = Buffer.from("me:pass:word").toString("base64");
    expect(
      Object.fromEntries(
        read({ "a.example": { auth }, "b.example:5000": { username: "you", password: "" } }),
      ),
    ).toEqual({
      "a.example": { kind: "basic", username: "me", password: "pass:word" },
      "b.example:5000": { kind: "basic", username: "you", password: "" },
    });
  });

  test("gives an identity token before a password", () => {
    const entry = { username: "me", password: "old", identitytoken: "renewed" };
    expect(read({ "a.example": entry }).get("a.example")).toEqual({ kind: "identity", token: "renewed" });
  });

  test("knows a registry by its host alone, so a host with another port or a longer path is another one", () => {
    const entry = { username: "me", password: "secret" };
    const known = [
      ...read({ "https://a.example/v2/": entry, "b.example/": entry, "c.example/team": entry }).keys(),
    ];
    expect(known).toEqual(["a.example", "b.example", "c.example/team"]);
  });

  test("that stands first wins", () => {
    const one = JSON.stringify({ auths: { "a.example": { username: "first", password: "1" } } });
    const two = JSON.stringify({ auths: { "a.example": { username: "second", password: "2" } } });
    const both = credentialsOf([one, two].map((text) => ({ text, field })));
    expect(both.get("a.example")).toMatchObject({ username: "first" });
  });

  test("with the empty entry of a credential helper has no credential for it", () => {
    expect(read({ "a.example": {} }).size).toBe(0);
  });

  test("that is wrong is refused with the field, and nothing of its content is repeated", () => {
    const at = `PolicyInvalid ${field}:`;
    expect(refused("hunter2")).toBe(`${at} The docker configuration is not a JSON object`);
    expect(refused('{"auths": ["hunter2"]}')).toBe(
      `${at} \`auths\` of the docker configuration is not an object`,
    );
    for (const entry of [
      { auth: "aHVudGVyMg==" },
      { password: 7, username: "hunter2" },
      { username: "a:b", password: "hunter2" },
    ]) {
      expect(refused(JSON.stringify({ auths: { "a.example": entry } }))).toMatch(
        /^PolicyInvalid (?!.*hunter2)/,
      );
    }
    expect(refused(" ".repeat(262_145))).toBe(`${at} The docker configuration is larger than 262144 bytes`);
  });
});
