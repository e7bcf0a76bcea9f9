/* As many instances as the measured rate of each node needs at the configured rate an instance: algorithms/threshold in C. */
#include "../sluice.h"

#include <math.h>

/* A billionth more than a whole number of instances, or than the tolerance, is a rounding error of the division. */
static const double SLACK = 1e-9;

static bool is_near(double rate, double current, double target, double tolerance) {
  return current != 0 && fabs(rate / (current * target) - 1) <= tolerance + SLACK;
}

/* What a node has of its own, or all nodes have. */
static double configured(sluice_json config, sluice_json own, const char *name, sluice_text key, double otherwise) {
  return sluice_number_or(sluice_member(own, key), name, sluice_number_or(sluice_member(config, key), name, otherwise));
}

static void want(sluice_plan *plan, const sluice_node *node, const sluice_observation *rates, sluice_text source,
                 sluice_json config) {
  double rate;
  if (!sluice_sum(rates, node->name, &rate)) {
    sluice_warn("%.*s is left as it is: %.*s has no value for it%.*s", SLUICE_SHOW(node->name), SLUICE_SHOW(source),
                SLUICE_SHOW(sluice_why(rates)));
    return;
  }
  if (rate < 0) {
    sluice_warn("%.*s is left as it is: %.*s says %.*s, which is no rate", SLUICE_SHOW(node->name),
                SLUICE_SHOW(source), SLUICE_SHOW(sluice_figure(rate)));
    return;
  }
  sluice_json own = sluice_member(sluice_member(config, SLUICE_TEXT_OF("nodes")), node->name);
  double target = configured(config, own, "config.targetPerInstance", SLUICE_TEXT_OF("targetPerInstance"), 0);
  double tolerance = configured(config, own, "config.tolerance", SLUICE_TEXT_OF("tolerance"), 0.1);
  sluice_text load =
      sluice_format("%.*s/s at %.*s/s an instance", SLUICE_SHOW(sluice_figure(rate)), SLUICE_SHOW(sluice_figure(target)));
  double current = (double)node->parallelism;
  if (is_near(rate, current, target, tolerance))
    sluice_want(plan, node->name, current,
                sluice_format("%.*s is within %.*s %%", SLUICE_SHOW(load), SLUICE_SHOW(sluice_figure(tolerance * 100))));
  else
    sluice_want(plan, node->name, ceil(rate / target - SLACK), load);
}

SLUICE_STEP(plan) {
  const sluice_step_input *input = sluice_read();
  sluice_json config = input->config;
  sluice_text source =
      sluice_text_or(sluice_member(config, SLUICE_TEXT_OF("source")), "config.source", SLUICE_TEXT_OF("rates"));
  const sluice_observation *rates = sluice_source(input, source);
  sluice_plan plan = {0};
  for (size_t i = 0; i < input->topology.nodes.count; i++)
    want(&plan, &input->topology.nodes.items[i], rates, source, config);
  return sluice_answer(&sluice_plan_record, &plan);
}
