import { EVENTS } from "../../host/operator/index.ts";

const HEAD = `# Events

What \`kubectl describe\` shows of a policy. Written by \`npm run generate\` from \`host/operator/news.ts\`. What lasts is told
when it begins, and again when it becomes something else; what is told again within ten minutes is counted in its series.
A policy gets at most ten new events a minute.

Besides these, the reason of an event is the code of a fault, of type \`Warning\`, when it begins to keep a policy from
being acted on (action \`Decide\`) or a change from serving (action \`Settle\`): see [faults](faults.md).

| reason | type | action | meaning |
|---|---|---|---|
`;

/** The page with every event that is not a fault. */
export function generateEvents(): Promise<Map<string, string>> {
  const rows = Object.entries(EVENTS).map(
    ([reason, { type, action, means }]) => `| \`${reason}\` | ${type} | ${action} | ${means} |`,
  );
  return Promise.resolve(new Map([["docs/reference/events.md", `${HEAD}${rows.join("\n")}\n`]]));
}
