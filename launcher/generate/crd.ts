import { stringify } from "yaml";
import { scalingPolicyCrd } from "../../host/policy/index.ts";

/** The CustomResourceDefinitions, each as the file that is applied to a cluster. */
export function generateCrds(): Promise<Map<string, string>> {
  const crd = scalingPolicyCrd();
  // One line a description: what `kubectl explain` wraps by itself is not wrapped twice.
  const yaml = stringify(crd, { lineWidth: 0, aliasDuplicateObjects: false });
  return Promise.resolve(
    new Map([[FILE, `# Written by \`npm run generate\` from host/policy/schema.\n${yaml}`]]),
  );
}

const FILE = "crds/sluice.dev_scalingpolicies.yaml";
