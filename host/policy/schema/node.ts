import { block, dnsLabel, dnsSubdomain, setOf, text, type Rule } from "./field.ts";

/** The most nodes that a topology can have: what one input of a step carries, and one pass can read and write. */
export const NODES_MAX = 100;

/** Nodes and sources are keys of JSON objects, and a plan that has one of these as a key is refused as an attack. */
const RESERVED = ["constructor", "prototype"];
export const NOT_RESERVED: Rule<string> = {
  cel: `!(self in [${RESERVED.map((name) => `'${name}'`).join(", ")}])`,
  message: "is a name that every JavaScript object knows, and a plan may not use: choose another",
  holds: (value) => !RESERVED.includes(value),
};

/** A node's name, and where its output goes: what all kinds of targets have. */
export const nodeName = () =>
  dnsLabel("Name of the node; sources, edges and plans use it.", { rules: [NOT_RESERVED] });
export const feeds = () =>
  setOf("Names of the nodes that this node feeds.", dnsLabel("Name of a node."), { max: 100 });

/** An object in the policy's namespace. */
export const objectRef = (description: string) =>
  block(description, {
    apiVersion: text("Group and version, such as `apps/v1`.", {
      maxLength: 317,
      pattern: "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?v[0-9]+((alpha|beta)[0-9]+)?$",
    }),
    kind: text("Kind, such as `Deployment`.", { maxLength: 63, pattern: "^[A-Z][A-Za-z0-9]*$" }),
    name: dnsSubdomain("Name of the object, in the policy's namespace."),
  });

/** Which container of the pods does the work. */
export const container = () =>
  dnsLabel(
    "Name of the container whose resources guardrails.resources lets change. Default: that of the annotation kubectl.kubernetes.io/default-container, or else the only one.",
  );

/** The names of nodes as a message has them: the first few, because a topology can have a hundred. */
export const listed = (names: readonly string[]): string =>
  names.length > NAMES_SHOWN
    ? `${names.slice(0, NAMES_SHOWN).join(", ")} and ${names.length - NAMES_SHOWN} more`
    : names.join(", ");
const NAMES_SHOWN = 10;
