import {
  clusterCredentialSchema,
  credentialSchema,
  NOT_YET,
  RULES,
  scalingPolicySchema,
  tenantSchema,
  toStructural,
  type Written,
} from "../../host/policy/index.ts";

const POLICY = `# ScalingPolicy

\`sluice.dev/v1alpha1\`, namespaced, short name \`spol\`. Written by \`npm run generate\` from \`host/policy/schema\`; the same
schema is what the API server and the parser check, and what \`kubectl explain scalingpolicy.spec\` shows.

Durations are a whole number and a unit (\`ms\`, \`s\`, \`m\` or \`h\`). A field marked ◌ has its place in the resource, but this
version does not act on it: a policy that sets it is not acted on, and its condition \`Accepted\` is \`False\` with the reason
\`NotSupported\`. Fields without a default that are not required may be left out.
`;

const TENANT = `# Tenant

\`sluice.dev/v1alpha1\`, cluster-scoped, short name \`ten\`. Written by \`npm run generate\` from \`host/policy/schema\`. An
administrator writes it; what it grants, the policies of its namespaces may use. A namespace that two Tenants name has what
neither grants: the policies there are told so.
`;

const CREDENTIAL = `# Credential

\`sluice.dev/v1alpha1\`, namespaced, short name \`cred\`. Written by \`npm run generate\` from \`host/policy/schema\`. A policy of
the namespace names it in a \`credentialRef\`; the operator reads it and its Secret as the policy's service account, and adds it
to requests to the places that it is bound to. An algorithm never sees it.
`;

const CLUSTER_CREDENTIAL = `# ClusterCredential

\`sluice.dev/v1alpha1\`, cluster-scoped, short name \`ccred\`. Written by \`npm run generate\` from \`host/policy/schema\`. An
administrator writes it; its Secret is in the operator's namespace, which no tenant's account needs to read. Only the namespaces
that it names, and those whose Tenant names it, may use it.
`;

/** The pages with every field of a resource: a table for each block, and the rules between fields. */
export function generateReference(): Promise<Map<string, string>> {
  return Promise.resolve(
    new Map([
      ["docs/reference/clustercredential.md", page(CLUSTER_CREDENTIAL, clusterCredentialSchema)],
      ["docs/reference/credential.md", page(CREDENTIAL, credentialSchema)],
      ["docs/reference/scalingpolicy.md", page(POLICY, scalingPolicySchema)],
      ["docs/reference/tenant.md", page(TENANT, tenantSchema)],
    ]),
  );
}

function page(head: string, schema: object): string {
  const fields = Object.entries((schema as Written).properties ?? {});
  return `${head}\n${fields.flatMap(([name, field]) => chapters(field, name)).join("\n")}`;
}

/** A block of its own for every field of `spec` and `status` that has fields; the rest stands in the first table. */
function chapters(schema: Written, name: string): string[] {
  const fields = Object.entries(schema.properties ?? {});
  const blocks = fields.filter(([, field]) => hasFields(field));
  const own = rows(schema, name, { deep: false });
  return [
    chapter(schema, name, own, rulesOf(schema, name)),
    ...blocks.map(([field, block]) => {
      const path = `${name}.${field}${suffix(block)}`;
      return chapter(
        block,
        path,
        rows(inner(block), path, { deep: true }),
        deepRules(block, `${name}.${field}`),
      );
    }),
  ];
}

function chapter(schema: Written, path: string, table: readonly string[], rules: readonly string[]): string {
  const notYet =
    schema[NOT_YET] === undefined ? "" : `\n◌ Not acted on by this version: ${schema[NOT_YET]}.\n`;
  const body =
    table.length === 0
      ? ""
      : `\n| field | type | default | meaning |\n|---|---|---|---|\n${table.join("\n")}\n`;
  const said = rules.length === 0 ? "" : `\nRules:\n\n${rules.map((rule) => `- ${rule}`).join("\n")}\n`;
  return `## ${path}\n\n${schema.description ?? ""}\n${notYet}${body}${said}`;
}

function rows(schema: Written, path: string, { deep }: { deep: boolean }): string[] {
  const required = toStructural(schema).required ?? [];
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = `${path}.${name}${suffix(field)}`;
    const mark = field[NOT_YET] === undefined ? "" : "◌ ";
    const instead = field[NOT_YET] === undefined ? "" : ` Not acted on: ${field[NOT_YET]}.`;
    const preset = required.includes(name) ? "*required*" : presetOf(field);
    const meaning = `${field.description ?? ""}${limitsOf(field)}${instead}`.replaceAll("|", "\\|");
    const row = `| ${mark}\`${at}\` | ${typeOf(field)} | ${preset} | ${meaning} |`;
    return [row, ...(deep && hasFields(field) ? rows(inner(field), at, { deep }) : [])];
  });
}

const inner = (field: Written): Written => (field.items?.properties === undefined ? field : field.items);
const hasFields = (field: Written) => Object.keys(inner(field).properties ?? {}).length > 0;
const suffix = (field: Written) => (field.items === undefined ? "" : "[]");

function typeOf(field: Written): string {
  const { enum: words, type, items } = toStructural(field);
  if (words !== undefined) return words.map((word) => `\`${word}\``).join(" or ");
  if (items !== undefined) return items.type === "object" ? "list" : `list of ${items.type}s`;
  return type;
}

function presetOf(field: Written): string {
  const preset = field["default"];
  return preset === undefined || typeof preset === "object"
    ? ""
    : `\`${JSON.stringify(preset).replaceAll('"', "")}\``;
}

function limitsOf(field: Written): string {
  const { minimum, maximum, maxLength, pattern, enum: words } = toStructural(field);
  if (words !== undefined) return "";
  if (minimum !== undefined && maximum !== undefined) return ` From ${minimum} to ${maximum}.`;
  if (minimum !== undefined) return ` At least ${minimum}.`;
  if (pattern !== undefined) return ` At most ${maxLength} characters, as \`${pattern}\`.`;
  return maxLength === undefined ? "" : ` At most ${maxLength} characters.`;
}

const rulesOf = (schema: Written, path: string): string[] =>
  (schema[RULES] ?? []).map(({ message }) => `\`${path}\`: ${message.replaceAll("|", "\\|")}`);

function deepRules(schema: Written, path: string): string[] {
  const { items } = schema;
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    deepRules(field, `${path}.${name}`),
  );
  return [...rulesOf(schema, path), ...below, ...(items === undefined ? [] : deepRules(items, `${path}[]`))];
}
