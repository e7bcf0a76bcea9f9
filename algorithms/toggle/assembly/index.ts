import { answer, Fields, Plan, read } from "@sluice/pdk";

/** Counts the passes. */
export function monitor(): i32 {
  const step = read();
  return answer(new Fields().number("numInvocations", step.carry.number("numInvocations", 0) + 1));
}

/** Turns from one state to the other every so many passes. */
export function analyze(): i32 {
  const step = read();
  const count = step.monitor.whole("numInvocations");
  const state = step.carry.whole("toggleState", 0);
  const turns = count % step.config.whole("toggleThreshold", 2) == 0;
  return answer(new Fields().number("toggleState", turns ? 1 - state : state));
}

/** Gives every second node the one number and the others the other, by the state. */
export function plan(): i32 {
  const step = read();
  const numbers = step.config.list("numReplicasByState");
  assert(numbers.length == 2, "config.numReplicasByState: two numbers are needed");
  const state = step.analyze.whole("toggleState");
  const plan = new Plan();
  for (let i = 0; i < step.topology.nodes.length; i++)
    plan.want(step.topology.nodes[i].name, numbers[(state + i) % 2].asNumber(), `state ${state}`);
  plan.remember(
    new Fields().number("numInvocations", step.monitor.whole("numInvocations")).number("toggleState", state),
  );
  return answer(plan);
}
