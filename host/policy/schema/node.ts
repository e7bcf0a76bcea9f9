import { block, dnsLabel, dnsSubdomain, setOf, text } from "./field.ts";

/** The most nodes that a topology can have: what one input of a step carries, and one pass can read and write. */
export const NODES_MAX = 100;

/** A node's name, and where its output goes: what all kinds of targets have. */
export const nodeName = () => dnsLabel("Name of the node; sources, edges and plans use it.");
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

/** The names of nodes as a message has them: the first few, because a topology can have a hundred. */
export const listed = (names: readonly string[]): string =>
  names.length > NAMES_SHOWN
    ? `${names.slice(0, NAMES_SHOWN).join(", ")} and ${names.length - NAMES_SHOWN} more`
    : names.join(", ");
const NAMES_SHOWN = 10;
