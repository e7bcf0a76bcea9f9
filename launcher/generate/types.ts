import { API, SCHEMAS } from "../../host/contract/index.ts";
import { c } from "./types/c.ts";
import { go } from "./types/go.ts";
import { namedTypes } from "./types/model.ts";
import { python } from "./types/python.ts";
import { rust } from "./types/rust.ts";
import { typescript } from "./types/typescript.ts";

const HEAD = `The types of the step contract ${API}, made from pdk/schema by \`npm run generate\`: do not edit.`;

/** The types of what a guest reads and answers, for each language whose PDK reads JSON into types. */
export function generateTypes(): Promise<Map<string, string>> {
  const { input, answer, plan } = SCHEMAS;
  const types = namedTypes([input, answer, plan]);
  return Promise.resolve(
    new Map([
      ["pdk/javascript/contract.d.ts", typescript(types, HEAD)],
      ["pdk/rust/src/contract.rs", rust(types, HEAD)],
      ["pdk/go/contract.go", go(types, HEAD)],
      ["pdk/python/contract.py", python(types, HEAD)],
      ["pdk/c/contract.h", c(types, HEAD)],
    ]),
  );
}
