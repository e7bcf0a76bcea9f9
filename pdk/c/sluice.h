/* Writes autoscaling algorithms for Sluice in C: the input of a step as structs, and an answer that says why.
   Nothing is ever freed: a step runs in a memory of its own, which is gone with it. */
#ifndef SLUICE_H
#define SLUICE_H

#include "contract.h"

/* Before each exported step, such as SLUICE_STEP(plan) { ... return sluice_answer(...); } */
#define SLUICE_STEP(name) __attribute__((export_name(#name))) int32_t name(void)

/* The input of the step. */
const sluice_step_input *sluice_read(void);

/* Hands over the answer of the step, a struct of the contract with its table; what the step returns. */
int32_t sluice_answer(const sluice_record *record, const void *value);
/* Hands over an answer that is JSON already, of which the text is made as by printf. */
int32_t sluice_answer_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the step without an answer. The message becomes the policy's condition, and nothing is scaled. */
_Noreturn void sluice_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Writes to the log of the pass, of which 64 lines and 16 KiB a call are kept. */
void sluice_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void sluice_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Text as printf makes it. */
sluice_text sluice_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A number for people: at most three decimals and no trailing zeros, such as 420, 4.2 or 0.333. */
sluice_text sluice_figure(double x);
bool sluice_same(sluice_text one, sluice_text other);
/* For printf's %.*s. */
#define SLUICE_SHOW(text) (int)(text).length, (text).at
#define SLUICE_TEXT_OF(literal) ((sluice_text){literal, sizeof(literal) - 1})

/* What a source said. Fails if the policy has no source of that name. */
const sluice_observation *sluice_source(const sluice_step_input *input, sluice_text name);
/* Whether there are values of a node, and their sum. No data is never a number. */
bool sluice_sum(const sluice_observation *said, sluice_text node, double *sum);
/* Why there is nothing, in brackets after a space; empty if the source did not fail. */
sluice_text sluice_why(const sluice_observation *said);

/* A field of an object that is JSON, such as the config; absent if it has none of that name, or is absent itself. */
sluice_json sluice_member(sluice_json object, sluice_text name);
/* What a piece of JSON says; `otherwise` if it is absent. Fails, naming it, for another type. */
double sluice_number_or(sluice_json json, const char *name, double otherwise);
sluice_text sluice_text_or(sluice_json json, const char *name, sluice_text otherwise);

/* Wants a whole number of instances of a node, or so much of it that the host rounds up. Fails for a number that is none. */
void sluice_want(sluice_plan *plan, sluice_text node, double parallelism, sluice_text reason);
void sluice_demand(sluice_plan *plan, sluice_text node, double demand, sluice_text reason);

/* Asks a service that the policy grants. The host performs the request, and the step is run again from its start when the
   answer is there. Returns the status, 0 for no answer. */
int32_t sluice_get(sluice_text url, sluice_text *body);

#endif
