import { pascal, snake, wrapped, type Field, type Named, type Shape } from "./model.ts";

/**
 * The types as structs for serde. What may be any JSON is kept as it was written, in a `RawValue`: integers above 2^53 and
 * `1.0` survive it. Fields that a later host may add are not looked at.
 */
export const rust = (types: readonly Named[], head: string): string =>
  [
    `// ${head}\n\nuse std::collections::BTreeMap;\n\nuse serde::{Deserialize, Serialize};\nuse serde_json::value::RawValue;\n`,
    ...types.map(typeOf),
  ].join("\n");

function typeOf(type: Named): string {
  const about = comment(type.description, "");
  if (type.kind === "choice") {
    const words = type.words.map((word) => `    #[serde(rename = "${word}")]\n    ${pascal(word)},\n`);
    return `${about}#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]\npub enum ${type.name} {\n${words.join("")}}\n`;
  }
  const canBeEmpty = type.fields.every(({ isOptional }) => isOptional) ? "Default, " : "";
  return `${about}#[derive(Clone, Debug, ${canBeEmpty}Deserialize, Serialize)]\npub struct ${type.name} {\n${type.fields.map(fieldOf).join("")}}\n`;
}

function fieldOf({ name, description, isOptional, shape }: Field): string {
  const own = snake(name);
  const said = [
    ...(own === name ? [] : [`rename = "${name}"`]),
    ...(isOptional ? ["default", 'skip_serializing_if = "Option::is_none"'] : []),
  ];
  const attribute = said.length === 0 ? "" : serde(said);
  const type = isOptional ? `Option<${textOf(shape)}>` : textOf(shape);
  return `${comment(description, "    ")}${attribute}    pub ${own}: ${type},\n`;
}

/** As rustfmt would write it: in one line of at most 70 characters, or one thing a line. */
function serde(said: readonly string[]): string {
  const line = said.join(", ");
  if (line.length <= LINE) return `    #[serde(${line})]\n`;
  return `    #[serde(\n${said.map((one) => `        ${one}`).join(",\n")}\n    )]\n`;
}
const LINE = 70;

const comment = (text: string, indent: string) =>
  wrapped(text, 106 - indent.length)
    .map((line) => `${indent}/// ${line}\n`)
    .join("");

function textOf(shape: Shape): string {
  switch (shape.kind) {
    case "named":
      return shape.name;
    case "list":
      return `Vec<${textOf(shape.of)}>`;
    case "map":
      return shape.of.kind === "json" ? "Box<RawValue>" : `BTreeMap<String, ${textOf(shape.of)}>`;
    case "word":
    case "text":
      return "String";
    case "flag":
      return "bool";
    case "json":
      return "Box<RawValue>";
    case "whole":
      return shape.isSmall ? "u32" : "u64";
    case "decimal":
      return "f64";
  }
}
