import { answer, Fields, Plan, read, Step, Value } from "@sluice/pdk";
import { Decision, NAME } from "./decision";
import { Want } from "./want";

/** What every operator needs, for a planner that shares out a budget: as `nodes.<name>`, the way a plan has it. */
export function analyze(): i32 {
  const step = read();
  const decision = new Decision(step);
  const nodes = new Fields();
  for (let i = 0; i < decision.wants.length; i++) {
    const want = decision.wants[i];
    const wanted = new Fields();
    if (isExact(want, decision)) wanted.number("demand", want.exact);
    else wanted.number("parallelism", want.instances);
    nodes.object(want.operator.name, wanted.text("reason", want.reason));
  }
  const fields = new Fields().text("by", NAME).object("nodes", nodes);
  return answer(decision.settings.remembers ? fields.object("carry", decision.memory.carry(step)) : fields);
}

/** What every operator needs. */
export function plan(): i32 {
  const step = read();
  // One artifact for all steps: analyze has decided already.
  if (step.analyze.text("by", "") == NAME) return answer(handedOver(step));
  const decision = new Decision(step);
  const plan = new Plan();
  for (let i = 0; i < decision.wants.length; i++) {
    const want = decision.wants[i];
    if (isExact(want, decision)) plan.demand(want.operator.name, want.exact, want.reason);
    else plan.want(want.operator.name, want.instances, want.reason);
  }
  if (decision.settings.remembers) plan.remember(decision.memory.carry(step));
  return answer(plan);
}

/** Whether the host is to round the number, as the config asks; a source has nothing to round. */
function isExact(want: Want, decision: Decision): bool {
  return decision.settings.unrounded && want.exact != want.instances && !want.operator.isSource;
}

function handedOver(step: Step): Plan {
  const plan = new Plan();
  const nodes: Value = step.analyze.object("nodes");
  const names = nodes.keys();
  for (let i = 0; i < names.length; i++) {
    const wanted = nodes.object(names[i]);
    const reason = wanted.text("reason", "");
    if (wanted.has("demand")) plan.demand(names[i], wanted.number("demand"), reason);
    else plan.want(names[i], wanted.number("parallelism"), reason);
  }
  return plan;
}
