import { wrapped, type Named, type Shape } from "./model.ts";

/** The types as declarations of TypeScript, for guests in JavaScript as well. */
export const typescript = (types: readonly Named[], head: string): string =>
  [`// ${head}\n`, ...types.map(typeOf)].join("\n");

function typeOf(type: Named): string {
  const about = comment(type.description, "");
  if (type.kind === "choice") return `${about}export type ${type.name} = ${wordsOf(type.words)};\n`;
  const fields = type.fields.map(
    ({ name, description, isOptional, shape }) =>
      `${comment(description, "  ")}  ${name}${isOptional ? "?" : ""}: ${textOf(shape)};\n`,
  );
  return `${about}export interface ${type.name} {\n${fields.join("")}}\n`;
}

function comment(text: string, indent: string): string {
  const lines = wrapped(text, 104 - indent.length);
  if (lines.length === 1) return `${indent}/** ${text} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join("")}${indent} */\n`;
}

const wordsOf = (words: readonly string[]) => words.map((word) => `"${word}"`).join(" | ");

function textOf(shape: Shape): string {
  switch (shape.kind) {
    case "named":
      return shape.name;
    case "list":
      return `${textOf(shape.of)}[]`;
    case "map":
      return `Record<string, ${textOf(shape.of)}>`;
    case "word":
      return wordsOf(shape.words);
    case "text":
      return "string";
    case "flag":
      return "boolean";
    case "json":
      return "unknown";
    case "whole":
    case "decimal":
      return "number";
  }
}
