/* Asks a service that the policy grants: the host performs the request, and the step runs again with its answer. */
#include "../sluice.h"

SLUICE_STEP(monitor) {
  const sluice_step_input *input = sluice_read();
  sluice_json given = sluice_member(input->config, SLUICE_TEXT_OF("url"));
  if (given.at == NULL) sluice_fail("config.url: is missing");
  sluice_text url = sluice_text_or(given, "config.url", (sluice_text){0}), body;
  int32_t status = sluice_get(url, &body);
  if (status != 200) sluice_fail("%.*s answered %d", SLUICE_SHOW(url), status);
  return sluice_answer_text("{\"bytes\":%zu}", body.length);
}
