import { answer, http, log, Plan, read, Request } from "@sluice/pdk";

/** Asks two services beside each other; a third is asked only if the first says where. */
export function plan(): i32 {
  const base = read().config.text("forecast");
  const plan = new Plan();
  const answers = http.batch([new Request(`${base}/split`), new Request(`${base}/count`)]);
  for (let i = 0; i < answers.length; i++) {
    const node = i == 0 ? "split" : "count";
    const said = answers[i];
    if (!said.ok) {
      log.warn(`${node}: ${said.status == 0 ? said.error : said.status.toString()}`);
      continue;
    }
    const more = said.value.text("more", "");
    const forecast = more.length == 0 ? said.value : http.get(base + more).value;
    plan.want(node, Math.ceil(forecast.number("rate") / 100));
  }
  return answer(plan);
}
