import { API, CONTRACT_VERSION, SCHEMAS } from "../../host/contract/index.ts";

/** The contract as JSON Schemas, one file for each document: what PDKs in every language are written against. */
export function generateContract(): Promise<Map<string, string>> {
  const files = Object.entries(SCHEMAS).map(([name, schema]) => {
    const head = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $id: `urn:${API.replace("/", ":")}:${name}`,
      $comment: `Version ${CONTRACT_VERSION} of ${API}.`,
      title: `${API} ${name}`,
    };
    return [`pdk/schema/${name}.json`, `${JSON.stringify({ ...head, ...schema }, undefined, 2)}\n`] as const;
  });
  return Promise.resolve(new Map(files));
}
