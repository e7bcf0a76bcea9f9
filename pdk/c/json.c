#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sluice.h"

typedef struct {
  const char *at;
  const char *end;
} reader;

/* Room that grows; text is only ever added at its end. */
typedef struct {
  char *at;
  size_t length;
  size_t room;
} writer;

static void *room(size_t bytes) {
  void *at = calloc(1, bytes == 0 ? 1 : bytes);
  if (at == NULL) sluice_fail("the memory of the step is used up");
  return at;
}

static char look(reader *in) {
  while (in->at < in->end && strchr(" \t\r\n", *in->at) != NULL) in->at++;
  return in->at < in->end ? *in->at : 0;
}

static void take(reader *in, char wanted) {
  if (look(in) != wanted) sluice_fail("%c is expected in the JSON", wanted);
  in->at++;
}

/* Whether another entry follows; takes the comma, or the end. */
static bool another(reader *in, char end, bool first) {
  if (look(in) == end) {
    in->at++;
    return false;
  }
  if (!first) take(in, ',');
  return true;
}

static unsigned hex4(reader *in) {
  if (in->end - in->at < 4) sluice_fail("the JSON ends within a character");
  char digits[5] = {in->at[0], in->at[1], in->at[2], in->at[3], 0};
  in->at += 4;
  return (unsigned)strtoul(digits, NULL, 16);
}

static size_t utf8(unsigned code, char *to) {
  if (code < 0x80) return to[0] = (char)code, 1;
  if (code < 0x800) return to[0] = (char)(0xc0 | code >> 6), to[1] = (char)(0x80 | (code & 0x3f)), 2;
  if (code < 0x10000) {
    to[0] = (char)(0xe0 | code >> 12);
    to[1] = (char)(0x80 | (code >> 6 & 0x3f));
    to[2] = (char)(0x80 | (code & 0x3f));
    return 3;
  }
  to[0] = (char)(0xf0 | code >> 18);
  to[1] = (char)(0x80 | (code >> 12 & 0x3f));
  to[2] = (char)(0x80 | (code >> 6 & 0x3f));
  to[3] = (char)(0x80 | (code & 0x3f));
  return 4;
}

static size_t escaped(reader *in, char *to) {
  char what = *in->at++;
  const char *plain = strchr("\"\\/b\bf\fn\nr\rt\t", what);
  if (what == 'u') {
    unsigned code = hex4(in);
    bool isHigh = code >= 0xd800 && code < 0xdc00;
    if (isHigh && in->end - in->at >= 6 && in->at[0] == '\\' && in->at[1] == 'u') {
      in->at += 2;
      code = 0x10000 + ((code - 0xd800) << 10) + (hex4(in) - 0xdc00);
    }
    return utf8(code, to);
  }
  if (what == 0 || plain == NULL) sluice_fail("the JSON has an escape that is none");
  to[0] = strchr("bfnrt", what) == NULL ? what : plain[1];
  return 1;
}

static sluice_text string(reader *in) {
  take(in, '"');
  const char *from = in->at;
  while (in->at < in->end && *in->at != '"' && *in->at != '\\') in->at++;
  if (in->at < in->end && *in->at == '"') return (sluice_text){from, (size_t)(in->at++ - from)};
  char *text = room((size_t)(in->end - from));
  size_t length = (size_t)(in->at - from);
  memcpy(text, from, length);
  while (in->at < in->end && *in->at != '"') {
    char one = *in->at++;
    if (one == '\\' && in->at < in->end) length += escaped(in, text + length);
    else text[length++] = one;
  }
  take(in, '"');
  return (sluice_text){text, length};
}

/* Passes over a value, and returns it as it is written. */
static sluice_json value(reader *in) {
  char first = look(in);
  const char *from = in->at;
  if (first == '"') string(in);
  else if (first == '{' || first == '[') {
    char end = first == '{' ? '}' : ']';
    in->at++;
    for (bool isFirst = true; another(in, end, isFirst); isFirst = false) {
      if (first == '{') string(in), take(in, ':');
      value(in);
    }
  } else
    while (in->at < in->end && strchr(",]} \t\r\n", *in->at) == NULL) in->at++;
  if (in->at == from) sluice_fail("a value is missing in the JSON");
  return (sluice_json){from, (size_t)(in->at - from)};
}

static bool isNull(sluice_json json) { return json.length == 4 && memcmp(json.at, "null", 4) == 0; }

static double number(sluice_json json) {
  char digits[64];
  if (json.length >= sizeof digits) sluice_fail("a number of the JSON is too long");
  memcpy(digits, json.at, json.length);
  digits[json.length] = 0;
  char *end;
  double x = strtod(digits, &end);
  if (end == digits || *end != 0) sluice_fail("%s is no number", digits);
  return x;
}

static void object(reader *in, const sluice_record *record, char *into);

/* One more item at the end of a list or map. */
static char *item(sluice_items *items, size_t size) {
  size_t count = items->count;
  if ((count & (count - 1)) == 0) {
    void *grown = room((count == 0 ? 1 : 2 * count) * size);
    if (count > 0) memcpy(grown, items->items, count * size);
    items->items = grown;
  }
  items->count++;
  return (char *)items->items + count * size;
}

static void list(reader *in, const sluice_record *of, sluice_items *items) {
  take(in, '[');
  *items = (sluice_items){NULL, 0};
  for (bool first = true; another(in, ']', first); first = false) object(in, of, item(items, of->size));
}

static void map(reader *in, const sluice_record *of, sluice_items *items) {
  take(in, '{');
  *items = (sluice_items){NULL, 0};
  for (bool first = true; another(in, '}', first); first = false) {
    sluice_text key = string(in);
    take(in, ':');
    char *entry = item(items, of == NULL ? sizeof(sluice_text_entry) : of->entry_size);
    *(sluice_text *)entry = key;
    if (of == NULL) ((sluice_text_entry *)entry)->value = string(in);
    else object(in, of, entry + of->entry_value);
  }
}

static void field(reader *in, const sluice_field *field, char *into) {
  char *to = into + field->at;
  if (field->has != SLUICE_ALWAYS) *(bool *)(into + field->has) = true;
  switch (field->kind) {
    case SLUICE_TEXT: *(sluice_text *)to = string(in); break;
    case SLUICE_JSON: *(sluice_json *)to = value(in); break;
    case SLUICE_DECIMAL: *(double *)to = number(value(in)); break;
    case SLUICE_WHOLE: *(int64_t *)to = (int64_t)number(value(in)); break;
    case SLUICE_FLAG: *(bool *)to = value(in).at[0] == 't'; break;
    case SLUICE_RECORD: object(in, field->of, to); break;
    case SLUICE_LIST: list(in, field->of, (sluice_items *)to); break;
    case SLUICE_MAP: map(in, field->of, (sluice_items *)to); break;
    case SLUICE_TEXT_MAP: map(in, NULL, (sluice_items *)to); break;
  }
}

static void object(reader *in, const sluice_record *record, char *into) {
  take(in, '{');
  for (bool first = true; another(in, '}', first); first = false) {
    sluice_text name = string(in);
    take(in, ':');
    const sluice_field *found = NULL;
    for (size_t i = 0; i < record->count && found == NULL; i++) {
      const char *known = record->fields[i].name;
      if (strlen(known) == name.length && memcmp(known, name.at, name.length) == 0) found = &record->fields[i];
    }
    if (found == NULL) value(in);
    else field(in, found, into);
  }
}

void sluice_json_read(sluice_json text, const sluice_record *record, void *into) {
  reader in = {text.at, text.at + text.length};
  object(&in, record, into);
}

sluice_json sluice_json_member(sluice_json json, sluice_text wanted) {
  reader in = {json.at, json.at + json.length};
  sluice_json found = {NULL, 0};
  if (json.at == NULL || isNull(json)) return found;
  take(&in, '{');
  for (bool first = true; another(&in, '}', first); first = false) {
    sluice_text name = string(&in);
    take(&in, ':');
    sluice_json member = value(&in);
    if (sluice_same(name, wanted)) found = member;
  }
  return found;
}

sluice_text sluice_json_string(sluice_json json) {
  reader in = {json.at, json.at + json.length};
  return string(&in);
}

double sluice_number_or(sluice_json json, const char *name, double otherwise) {
  if (json.at == NULL) return otherwise;
  if (strchr("-0123456789", json.at[0]) == NULL)
    sluice_fail("%s: a number is needed, found %.*s", name, SLUICE_SHOW(json));
  return number(json);
}

sluice_text sluice_text_or(sluice_json json, const char *name, sluice_text otherwise) {
  if (json.at == NULL) return otherwise;
  if (json.at[0] != '"') sluice_fail("%s: a text is needed, found %.*s", name, SLUICE_SHOW(json));
  return sluice_json_string(json);
}

static void put(writer *out, const char *text, size_t length) {
  if (out->length + length > out->room) {
    out->room = 2 * (out->room + length);
    char *grown = room(out->room);
    if (out->length > 0) memcpy(grown, out->at, out->length);
    out->at = grown;
  }
  memcpy(out->at + out->length, text, length);
  out->length += length;
}

static void puts_(writer *out, const char *text) { put(out, text, strlen(text)); }

static void quote(writer *out, sluice_text text) {
  puts_(out, "\"");
  for (size_t i = 0; i < text.length; i++) {
    unsigned char one = (unsigned char)text.at[i];
    const char *short_ = one == 0 ? NULL : strchr("\bb\ff\nn\rr\tt", one);
    char code[8];
    if (one == '"' || one == '\\') snprintf(code, sizeof code, "\\%c", one);
    else if (one >= 0x20) snprintf(code, sizeof code, "%c", one);
    else if (short_ != NULL) snprintf(code, sizeof code, "\\%c", short_[1]);
    else snprintf(code, sizeof code, "\\u%04x", one);
    puts_(out, code);
  }
  puts_(out, "\"");
}

/* A sign, the digits without a point, and the power of ten of the first one: the fewest digits that are read as the number. */
sluice_text sluice_json_number(double x) {
  if (x == 0) return SLUICE_TEXT_OF("0");
  if (!isfinite(x)) sluice_fail("%f is no number that JSON has", x);
  char raw[32], digits[24];
  int many = 1;
  do snprintf(raw, sizeof raw, "%.*e", many - 1, fabs(x));
  while (strtod(raw, NULL) != fabs(x) && many++ < 17);
  int count = 0, power = atoi(strchr(raw, 'e') + 1);
  for (const char *at = raw; *at != 'e'; at++)
    if (*at != '.') digits[count++] = *at;
  writer out = {NULL, 0, 0};
  if (x < 0) puts_(&out, "-");
  if (power >= 21 || power < -6) {
    put(&out, digits, 1);
    if (count > 1) puts_(&out, "."), put(&out, digits + 1, (size_t)count - 1);
    char exponent[8];
    snprintf(exponent, sizeof exponent, "e%c%d", power < 0 ? '-' : '+', abs(power));
    puts_(&out, exponent);
  } else if (power < 0) {
    puts_(&out, "0.");
    for (int i = -1; i > power; i--) puts_(&out, "0");
    put(&out, digits, (size_t)count);
  } else
    for (int i = 0; i < count || i <= power; i++) {
      if (i == power + 1) puts_(&out, ".");
      if (i < count) put(&out, digits + i, 1);
      else puts_(&out, "0");
    }
  return (sluice_text){out.at, out.length};
}

static void write_object(writer *out, const sluice_record *record, const char *from);

static void write_items(writer *out, const sluice_field *field, const sluice_items *items) {
  bool isList = field->kind == SLUICE_LIST;
  const sluice_record *of = field->of;
  size_t size = isList ? of->size : of == NULL ? sizeof(sluice_text_entry) : of->entry_size;
  puts_(out, isList ? "[" : "{");
  for (size_t i = 0; i < items->count; i++) {
    const char *entry = (const char *)items->items + i * size;
    if (i > 0) puts_(out, ",");
    if (!isList) quote(out, *(const sluice_text *)entry), puts_(out, ":");
    if (of == NULL) quote(out, ((const sluice_text_entry *)entry)->value);
    else write_object(out, of, isList ? entry : entry + of->entry_value);
  }
  puts_(out, isList ? "]" : "}");
}

static void write_field(writer *out, const sluice_field *field, const char *from) {
  const char *at = from + field->at;
  sluice_text text;
  switch (field->kind) {
    case SLUICE_TEXT: quote(out, *(const sluice_text *)at); break;
    case SLUICE_FLAG: puts_(out, *(const bool *)at ? "true" : "false"); break;
    case SLUICE_RECORD: write_object(out, field->of, at); break;
    case SLUICE_LIST:
    case SLUICE_MAP:
    case SLUICE_TEXT_MAP: write_items(out, field, (const sluice_items *)at); break;
    case SLUICE_JSON: text = *(const sluice_json *)at; put(out, text.at, text.length); break;
    case SLUICE_DECIMAL: text = sluice_json_number(*(const double *)at); put(out, text.at, text.length); break;
    case SLUICE_WHOLE:
      text = sluice_json_number((double)*(const int64_t *)at);
      put(out, text.at, text.length);
      break;
  }
}

/* Whether a field is left out of what is written: text and JSON without an address, and what its flag says is not there. */
static bool isAbsent(const sluice_field *field, const char *from) {
  if (field->has != SLUICE_ALWAYS) return !*(const bool *)(from + field->has);
  bool hasAddress = field->kind == SLUICE_TEXT || field->kind == SLUICE_JSON;
  return hasAddress && ((const sluice_text *)(from + field->at))->at == NULL;
}

static void write_object(writer *out, const sluice_record *record, const char *from) {
  puts_(out, "{");
  bool first = true;
  for (size_t i = 0; i < record->count; i++) {
    const sluice_field *field = &record->fields[i];
    if (isAbsent(field, from)) continue;
    if (!first) puts_(out, ",");
    first = false;
    quote(out, (sluice_text){field->name, strlen(field->name)});
    puts_(out, ":");
    write_field(out, field, from);
  }
  puts_(out, "}");
}

sluice_text sluice_json_write(const sluice_record *record, const void *from) {
  writer out = {NULL, 0, 0};
  write_object(&out, record, from);
  return (sluice_text){out.at, out.length};
}
