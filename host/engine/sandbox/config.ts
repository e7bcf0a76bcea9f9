import { Fault, type Problem } from "../../fault/index.ts";

/** Problems of one config: more than these nobody reads at once. */
const PROBLEMS = 16;

/** What is wrong with a config by the schema inside a module. The schema is the guest's: it is compiled nowhere else. */
export async function checkConfig(schema: unknown, config: string): Promise<Problem[]> {
  // Loaded only when it is needed: it would double the time that a sandbox takes to start.
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false, logger: false });
  let validate: ReturnType<typeof ajv.compile>;
  try {
    validate = ajv.compile(schema as object);
  } catch (thrown) {
    throw new Fault(
      "ArtifactInvalid",
      `The config schema of the module cannot be used: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    );
  }
  const valid: unknown = validate(JSON.parse(config));
  if (valid === true) return [];
  // A schema can make its check asynchronous, and then everything would seem to fit.
  if (valid !== false)
    throw new Fault("ArtifactInvalid", "The config schema of the module cannot be used: it is asynchronous");
  return (validate.errors ?? [])
    .slice(0, PROBLEMS)
    .map(({ instancePath, message = "is not valid", params }) => {
      const extra = "additionalProperty" in params ? ` (${String(params["additionalProperty"])})` : "";
      return { field: instancePath.slice(1).replaceAll("/", "."), message: `config ${message}${extra}` };
    });
}
