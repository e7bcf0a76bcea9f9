import { wrapped, type Field, type Named, type Shape } from "./model.ts";

/** The types as dictionaries with named keys: what `json.loads` returns is of them, and nothing has to be converted. */
export const python = (types: readonly Named[], head: string): string =>
  [`# ${head}\n\nfrom typing import Any, Literal, NotRequired, TypedDict\n\n`, ...types.map(typeOf)].join(
    "\n",
  );

function typeOf(type: Named): string {
  if (type.kind === "choice")
    return `${comment(type.description, "")}${type.name} = Literal[${wordsOf(type.words)}]\n\n`;
  if (type.fields.some(({ name }) => KEYWORDS.has(name))) return byCall(type.name, type);
  const about = wrapped(type.description, 104).join("\n    ");
  const fields = type.fields.map(
    (field) => `${comment(field.description, "    ")}    ${field.name}: ${fieldText(field)}\n`,
  );
  return `class ${type.name}(TypedDict):\n    """${about}"""\n\n${fields.join("")}\n`;
}

/** Words of the language: a class cannot have a field of such a name, a call can. */
const KEYWORDS: ReadonlySet<string> = new Set(["from"]);

function byCall(name: string, { description, fields }: { description: string; fields: readonly Field[] }) {
  const keys = fields.map(
    (field) => `${comment(field.description, "        ")}        "${field.name}": ${fieldText(field)},\n`,
  );
  return `${comment(description, "")}${name} = TypedDict(\n    "${name}",\n    {\n${keys.join("")}    },\n)\n\n`;
}

const fieldText = ({ isOptional, shape }: Field) =>
  isOptional ? `NotRequired[${textOf(shape)}]` : textOf(shape);

const comment = (text: string, indent: string) =>
  wrapped(text, 106 - indent.length)
    .map((line) => `${indent}# ${line}\n`)
    .join("");

const wordsOf = (words: readonly string[]) => words.map((word) => `"${word}"`).join(", ");

function textOf(shape: Shape): string {
  switch (shape.kind) {
    case "named":
      return shape.name;
    case "list":
      return `list[${textOf(shape.of)}]`;
    case "map":
      return `dict[str, ${textOf(shape.of)}]`;
    case "word":
      return `Literal[${wordsOf(shape.words)}]`;
    case "text":
      return "str";
    case "flag":
      return "bool";
    case "json":
      return "Any";
    case "whole":
      return "int";
    case "decimal":
      return "float";
  }
}
