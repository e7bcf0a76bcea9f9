import { stringify } from "yaml";
import { clusterCredentialCrd, credentialCrd, scalingPolicyCrd, tenantCrd } from "../../host/policy/index.ts";

/** The CustomResourceDefinitions, each as the file that is applied to a cluster. */
export function generateCrds(): Promise<Map<string, string>> {
  const crds = [clusterCredentialCrd(), credentialCrd(), scalingPolicyCrd(), tenantCrd()];
  return Promise.resolve(
    new Map(
      crds.map((crd) => {
        // One line a description: what `kubectl explain` wraps by itself is not wrapped twice.
        const yaml = stringify(crd, { lineWidth: 0, aliasDuplicateObjects: false });
        const { group, names } = crd.spec;
        return [
          `crds/${group}_${names.plural}.yaml`,
          `# Written by \`npm run generate\` from host/policy/schema.\n${yaml}`,
        ] as const;
      }),
    ),
  );
}
