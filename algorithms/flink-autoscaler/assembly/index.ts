import { answer, read } from "@sluice/pdk";
import { evaluate } from "./analyze";
import { observe } from "./monitor";
import { Job } from "./plan";

/** Takes a sample of every vertex and keeps the metric window. */
export function monitor(): i32 {
  return answer(observe(read()));
}

/** What every vertex is to process, what it could process, and between which rates it stays as it is. */
export function analyze(): i32 {
  return answer(evaluate(read()));
}

/** The parallelism of every vertex; the job moves if one of them is worth the restart. */
export function plan(): i32 {
  return answer(new Job(read()).answer());
}
