import { telemetry } from "../../host/telemetry/index.ts";

const HEAD = `# Metrics

What \`/metrics\` of the console port has, besides what Node says of its process. Written by \`npm run generate\` from
\`host/telemetry\`. Labels have few values: outcomes, fault codes, steps, kinds. Only what is shown of single policies has
their names as labels, and that is capped; what is left out is counted.

| metric | type | meaning |
|---|---|---|
`;

/** The page with every metric of Sluice's own. */
export async function generateMetrics(): Promise<Map<string, string>> {
  const metrics = telemetry();
  const queue = { ready: 0, delayed: 0, inWork: 0, oldestSeconds: 0 };
  metrics.follow(() => ({ queue, informers: [], shards: undefined }));
  const text = await metrics.text();
  const found = [...text.matchAll(/^# HELP (sluice_\w+) (.*)\n# TYPE \w+ (\w+)$/gm)];
  const rows = found.map(([, name, help, type]) => `| \`${name}\` | ${type} | ${help} |`).sort();
  return new Map([["docs/reference/metrics.md", `${HEAD}${rows.join("\n")}\n`]]);
}
