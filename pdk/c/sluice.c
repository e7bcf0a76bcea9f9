#include "sluice.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define IMPORT(name) __attribute__((import_module("extism:host/env"), import_name(#name)))

IMPORT(input_length) uint64_t extism_input_length(void);
IMPORT(input_load_u64) uint64_t extism_input_load_u64(uint64_t at);
IMPORT(input_load_u8) uint32_t extism_input_load_u8(uint64_t at);
IMPORT(alloc) uint64_t extism_alloc(uint64_t length);
IMPORT(length) uint64_t extism_length(uint64_t at);
IMPORT(load_u8) uint32_t extism_load_u8(uint64_t at);
IMPORT(store_u8) void extism_store_u8(uint64_t at, uint32_t byte);
IMPORT(store_u64) void extism_store_u64(uint64_t at, uint64_t bytes);
IMPORT(output_set) void extism_output_set(uint64_t at, uint64_t length);
IMPORT(error_set) void extism_error_set(uint64_t at);
IMPORT(log_info) void extism_log_info(uint64_t at);
IMPORT(log_warn) void extism_log_warn(uint64_t at);
IMPORT(http_request) uint64_t extism_http_request(uint64_t request, uint64_t body);
IMPORT(http_status_code) int32_t extism_http_status_code(void);

static uint64_t block(sluice_text text) {
  uint64_t at = extism_alloc(text.length);
  size_t i = 0;
  for (; i + 8 <= text.length; i += 8) {
    uint64_t word;
    memcpy(&word, text.at + i, 8);
    extism_store_u64(at + i, word);
  }
  for (; i < text.length; i++) extism_store_u8(at + i, (uint8_t)text.at[i]);
  return at;
}

static sluice_text formatted(const char *format, va_list values) {
  va_list again;
  va_copy(again, values);
  int length = vsnprintf(NULL, 0, format, values);
  char *text = malloc((size_t)length + 1);
  if (text == NULL) __builtin_trap();
  vsnprintf(text, (size_t)length + 1, format, again);
  va_end(again);
  return (sluice_text){text, (size_t)length};
}

#define FORMATTED(text)               \
  va_list values;                     \
  va_start(values, format);           \
  sluice_text text = formatted(format, values); \
  va_end(values)

void sluice_fail(const char *format, ...) {
  FORMATTED(text);
  extism_error_set(block(text));
  __builtin_trap();
}

void sluice_info(const char *format, ...) {
  FORMATTED(text);
  extism_log_info(block(text));
}

void sluice_warn(const char *format, ...) {
  FORMATTED(text);
  extism_log_warn(block(text));
}

sluice_text sluice_format(const char *format, ...) {
  FORMATTED(text);
  return text;
}

const sluice_step_input *sluice_read(void) {
  uint64_t length = extism_input_length(), i = 0;
  char *text = malloc(length + 1);
  sluice_step_input *input = calloc(1, sizeof *input);
  if (text == NULL || input == NULL) sluice_fail("the memory of the step is used up");
  for (; i + 8 <= length; i += 8) {
    uint64_t word = extism_input_load_u64(i);
    memcpy(text + i, &word, 8);
  }
  for (; i < length; i++) text[i] = (char)extism_input_load_u8(i);
  sluice_json_read((sluice_json){text, length}, &sluice_step_input_record, input);
  return input;
}

static int32_t hand_over(sluice_text text) {
  extism_output_set(block(text), text.length);
  return 0;
}

int32_t sluice_answer(const sluice_record *record, const void *value) {
  return hand_over(sluice_json_write(record, value));
}

int32_t sluice_answer_text(const char *format, ...) {
  FORMATTED(text);
  return hand_over(text);
}

bool sluice_same(sluice_text one, sluice_text other) {
  return one.at != NULL && other.at != NULL && one.length == other.length &&
         memcmp(one.at, other.at, one.length) == 0;
}

sluice_text sluice_figure(double x) {
  double size = fabs(x);
  if (!(size < 1e15)) return sluice_json_number(x);
  double whole, rest = modf(size * 1000, &whole);
  int64_t thousandths = (int64_t)whole + (rest >= 0.5);
  const char *sign = x < 0 && thousandths > 0 ? "-" : "";
  sluice_text text =
      sluice_format("%s%lld.%03lld", sign, (long long)(thousandths / 1000), (long long)(thousandths % 1000));
  while (text.at[text.length - 1] == '0') text.length--;
  if (text.at[text.length - 1] == '.') text.length--;
  return text;
}

const sluice_observation *sluice_source(const sluice_step_input *input, sluice_text name) {
  for (size_t i = 0; i < input->sources.count; i++)
    if (sluice_same(input->sources.items[i].key, name)) return &input->sources.items[i].value;
  sluice_fail("sources.%.*s: is missing: the policy has no source \"%.*s\" under spec.sources", SLUICE_SHOW(name),
              SLUICE_SHOW(name));
}

bool sluice_sum(const sluice_observation *said, sluice_text node, double *sum) {
  bool found = false;
  *sum = 0;
  for (size_t i = 0; i < said->series.count; i++) {
    const sluice_sample *sample = &said->series.items[i];
    if (!sluice_same(sample->node, node)) continue;
    *sum += sample->value;
    found = true;
  }
  return found;
}

sluice_text sluice_why(const sluice_observation *said) {
  if (!said->has_error) return (sluice_text){"", 0};
  return sluice_format(" (%.*s)", SLUICE_SHOW(said->error.message));
}

sluice_json sluice_member(sluice_json object, sluice_text name) { return sluice_json_member(object, name); }

/* A number for a message: it may be none. */
static sluice_text spelled(double x) {
  if (isnan(x)) return SLUICE_TEXT_OF("NaN");
  return isinf(x) ? sluice_format("%sInfinity", x < 0 ? "-" : "") : sluice_json_number(x);
}

static sluice_wanted *wanted(sluice_plan *plan, sluice_text node, double x, sluice_text reason) {
  if (!(x >= 0 && x <= 2147483647.0)) sluice_fail("%.*s: %.*s is no parallelism", SLUICE_SHOW(node), SLUICE_SHOW(spelled(x)));
  size_t at = 0, count = plan->nodes.count;
  while (at < count && !sluice_same(plan->nodes.items[at].key, node)) at++;
  if (at == count) {
    void *grown = realloc(plan->nodes.items, (count + 1) * sizeof *plan->nodes.items);
    if (grown == NULL) sluice_fail("the memory of the step is used up");
    plan->nodes.items = grown;
    plan->nodes.count++;
  }
  sluice_wanted_entry *entry = &plan->nodes.items[at];
  memset(entry, 0, sizeof *entry);
  entry->key = node;
  if (reason.length > 0) entry->value.reason = reason;
  return &entry->value;
}

void sluice_want(sluice_plan *plan, sluice_text node, double parallelism, sluice_text reason) {
  if (floor(parallelism) != parallelism)
    sluice_fail("%.*s: %.*s is not whole: round it, or use demand", SLUICE_SHOW(node), SLUICE_SHOW(spelled(parallelism)));
  sluice_wanted *want = wanted(plan, node, parallelism, reason);
  want->has_parallelism = true;
  want->parallelism = (int64_t)parallelism;
}

void sluice_demand(sluice_plan *plan, sluice_text node, double demand, sluice_text reason) {
  sluice_wanted *want = wanted(plan, node, demand, reason);
  want->has_demand = true;
  want->demand = demand;
}

int32_t sluice_get(sluice_text url, sluice_text *body) {
  for (size_t i = 0; i < url.length; i++)
    if (url.at[i] == '"' || url.at[i] == '\\' || (unsigned char)url.at[i] < 0x20)
      sluice_fail("the address has a character that no address has");
  sluice_text request = sluice_format("{\"url\":\"%.*s\",\"method\":\"GET\",\"headers\":{}}", SLUICE_SHOW(url));
  uint64_t at = extism_http_request(block(request), 0);
  size_t length = at == 0 ? 0 : (size_t)extism_length(at);
  char *text = malloc(length + 1);
  if (text == NULL) sluice_fail("the memory of the step is used up");
  for (size_t i = 0; i < length; i++) text[i] = (char)extism_load_u8(at + i);
  *body = (sluice_text){text, length};
  return extism_http_status_code();
}
