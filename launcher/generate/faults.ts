import { FAULTS } from "../../host/fault/index.ts";

/** The page that says, for each fault code, what it means and what to do. */
export function generateFaults(): Promise<Map<string, string>> {
  const entries = Object.entries(FAULTS).map(
    ([code, { means, remedy }]) => `## ${code}\n\n${means} ${remedy}\n`,
  );
  const page = `# Faults\n\nA fault's code is the reason of the condition and of the event, the label of the metric
\`sluice_faults_total\`, and the heading here. A fault never moves a replica.\n\n${entries.join("\n")}`;
  return Promise.resolve(new Map([["docs/reference/faults.md", page]]));
}
