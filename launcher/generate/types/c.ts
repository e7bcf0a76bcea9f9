import { snake, wrapped, type Field, type Named, type Shape } from "./model.ts";

const HEAD = `
#ifndef SLUICE_CONTRACT_H
#define SLUICE_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text in UTF-8, not ended by a zero. Without an address it is absent. */
typedef struct { const char *at; size_t length; } sluice_text;
/* Any JSON as it was written. Without an address it is absent. */
typedef sluice_text sluice_json;

/* How a field is written in JSON. */
typedef enum {
  SLUICE_TEXT, SLUICE_DECIMAL, SLUICE_FLAG, SLUICE_JSON, SLUICE_WHOLE, SLUICE_RECORD,
  SLUICE_LIST, SLUICE_MAP, SLUICE_TEXT_MAP
} sluice_kind;

/* Lists and maps are an address and a number of items, as sluice_items; an item of a map begins with its key. */
typedef struct { void *items; size_t count; } sluice_items;

struct sluice_record;
/* One field of a record: where it is, whether and where it is noted that it is there, and what it is made of. */
typedef struct {
  const char *name;
  sluice_kind kind;
  size_t at;
  /* Offset of the flag that says whether it is there; SLUICE_ALWAYS where an address or a count says it, or nothing has to. */
  size_t has;
  const struct sluice_record *of;
} sluice_field;
#define SLUICE_ALWAYS ((size_t)-1)

/* A record: its size, that of an item of a map of such records and where the record begins in it, and its fields. */
typedef struct sluice_record {
  size_t size;
  size_t entry_size;
  size_t entry_value;
  size_t count;
  const sluice_field *fields;
} sluice_record;

/* An item of a map from names to text. */
typedef struct { sluice_text key; sluice_text value; } sluice_text_entry;
`;

/**
 * The types as structs, with a table for each that says which field stands where: one reader and one writer of JSON serve
 * them all. A field that may be left out has a flag `has_…` before it, unless an empty list or an address says it.
 */
export function c(types: readonly Named[], head: string): string {
  const choices = new Set(types.flatMap(({ kind, name }) => (kind === "choice" ? [name] : [])));
  // A choice is its word.
  const plain = (shape: Shape): Shape =>
    shape.kind === "named" && choices.has(shape.name) ? { kind: "text" } : shape;
  const records = types.flatMap((type) =>
    type.kind === "choice"
      ? []
      : [
          recordOf({
            ...type,
            fields: type.fields.map((field) => ({ ...field, shape: plain(field.shape) })),
          }),
        ],
  );
  return [`/* ${head} */\n${HEAD}`, ...records, "#endif\n"].join("\n");
}

type RecordType = Extract<Named, { kind: "record" }>;

function recordOf({ name, description, fields }: RecordType): string {
  const own = nameOf(name);
  return `${comment(description, "")}typedef struct {
${fields.map(fieldOf).join("")}} ${own};

/* An item of a map from names to these. */
typedef struct { sluice_text key; ${own} value; } ${own}_entry;

static const sluice_field ${own}_fields[] = {
${fields.map((field) => rowOf(own, field)).join("")}};
static const sluice_record ${own}_record = {
  sizeof(${own}), sizeof(${own}_entry), offsetof(${own}_entry, value), ${fields.length}, ${own}_fields
};
`;
}

/** `LastRescale` as `sluice_last_rescale`. */
const nameOf = (name: string) => `sluice${snake(name)}`;

function fieldOf({ name, description, isOptional, shape }: Field): string {
  const flag = isOptional && hasFlag(shape) ? `  bool has_${snake(name)};\n` : "";
  return `${comment(description, "  ")}${flag}  ${declared(shape)} ${snake(name)};\n`;
}

const hasFlag = ({ kind }: Shape) =>
  kind === "named" || kind === "whole" || kind === "decimal" || kind === "flag";

function rowOf(own: string, { name, isOptional, shape }: Field): string {
  const field = snake(name);
  const has = isOptional && hasFlag(shape) ? `offsetof(${own}, has_${field})` : "SLUICE_ALWAYS";
  const [kind, of] = kindOf(shape);
  return `  {"${name}", ${kind}, offsetof(${own}, ${field}), ${has}, ${of}},\n`;
}

/** Of what kind a field is, and which record it is made of. */
function kindOf(shape: Shape): readonly [kind: string, of: string] {
  switch (shape.kind) {
    case "named":
      return ["SLUICE_RECORD", `&${nameOf(shape.name)}_record`];
    case "list":
      return ["SLUICE_LIST", `&${recordName(shape.of)}_record`];
    case "map":
      if (shape.of.kind === "json") return ["SLUICE_JSON", "NULL"];
      return shape.of.kind === "text"
        ? ["SLUICE_TEXT_MAP", "NULL"]
        : ["SLUICE_MAP", `&${recordName(shape.of)}_record`];
    case "word":
    case "text":
      return ["SLUICE_TEXT", "NULL"];
    default:
      return [`SLUICE_${shape.kind.toUpperCase()}`, "NULL"];
  }
}

function recordName(shape: Shape): string {
  if (shape.kind === "named") return nameOf(shape.name);
  throw new Error(`the types of C have lists and maps of records alone, and none of ${shape.kind}`);
}

function declared(shape: Shape): string {
  switch (shape.kind) {
    case "named":
      return nameOf(shape.name);
    case "list":
      return `struct { ${recordName(shape.of)} *items; size_t count; }`;
    case "map":
      if (shape.of.kind === "json") return "sluice_json";
      return `struct { ${shape.of.kind === "text" ? "sluice_text" : recordName(shape.of)}_entry *items; size_t count; }`;
    case "word":
    case "text":
      return "sluice_text";
    case "json":
      return "sluice_json";
    case "flag":
      return "bool";
    case "whole":
      return "int64_t";
    case "decimal":
      return "double";
  }
}

const comment = (text: string, indent: string) =>
  `${indent}/* ${wrapped(text, 100 - indent.length).join(`\n${indent}   `)} */\n`;
