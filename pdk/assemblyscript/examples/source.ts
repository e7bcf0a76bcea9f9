import { answer, log, Plan, read } from "@sluice/pdk";

/** A value, no data and an error are three things. Only the first can become a number. */
export function plan(): i32 {
  const lag = read().source("lag");
  const plan = new Plan();
  if (lag.error.length > 0) log.warn(`lag could not be read: ${lag.error}`);
  else if (lag.samples.length == 0) log.info("nobody has measured lag yet");
  else plan.demand("split", lag.total() / 1000);
  return answer(plan);
}
