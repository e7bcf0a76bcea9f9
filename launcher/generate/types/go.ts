import { pascal, wrapped, type Field, type Named, type Shape } from "./model.ts";

/**
 * The types as structs for encoding/json. What may be any JSON is kept as it was written, in a `json.RawMessage`: integers
 * above 2^53 and `1.0` survive it. What may be left out is a pointer, or a list or map that may be nil.
 */
export const go = (types: readonly Named[], head: string): string =>
  [`// ${head}\n\npackage sluice\n\nimport "encoding/json"\n`, ...types.map(typeOf)].join("\n");

function typeOf(type: Named): string {
  const about = comment(`${type.name}: ${type.description}`, "");
  if (type.kind === "choice") {
    const longest = Math.max(...type.words.map(({ length }) => length));
    const words = type.words.map(
      (word) => `\t${type.name}${pascal(word).padEnd(longest)} ${type.name} = "${word}"\n`,
    );
    return `${about}type ${type.name} string\n\n// The words of ${type.name}.\nconst (\n${words.join("")})\n`;
  }
  return `${about}type ${type.name} struct {\n${type.fields.map(fieldOf).join("")}}\n`;
}

function fieldOf({ name, description, isOptional, shape }: Field): string {
  const tag = `\`json:"${name}${isOptional ? ",omitempty" : ""}"\``;
  return `${comment(description, "\t")}\t${pascal(name)} ${isOptional && !mayBeNil(shape) ? "*" : ""}${textOf(shape)} ${tag}\n`;
}

const mayBeNil = ({ kind }: Shape) => kind === "list" || kind === "map" || kind === "json";

const comment = (text: string, indent: string) =>
  wrapped(text, 106 - indent.length)
    .map((line) => `${indent}// ${line}\n`)
    .join("");

function textOf(shape: Shape): string {
  switch (shape.kind) {
    case "named":
      return shape.name;
    case "list":
      return `[]${textOf(shape.of)}`;
    case "map":
      return shape.of.kind === "json" ? "json.RawMessage" : `map[string]${textOf(shape.of)}`;
    case "word":
    case "text":
      return "string";
    case "flag":
      return "bool";
    case "json":
      return "json.RawMessage";
    case "whole":
      return shape.isSmall ? "int32" : "int64";
    case "decimal":
      return "float64";
  }
}
