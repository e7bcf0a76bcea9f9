import { answer, Fields, Plan, read, seconds } from "@sluice/pdk";

/** Lets a node rest for a minute after it was told to move: what has to be remembered travels in the carry. */
export function plan(): i32 {
  const step = read();
  const now = seconds(step.time);
  const movedAt = step.carry.number("movedAt", 0);
  const wanted = Math.ceil(step.source("rates").sum("split") / 100);
  const plan = new Plan();
  if (wanted != step.topology.node("split").parallelism && now - movedAt >= 60) {
    plan.want("split", wanted);
    plan.remember(new Fields().number("movedAt", now));
  }
  return answer(plan);
}
