import { open } from "node:fs/promises";
import { ARTIFACT_LIMITS } from "../artifact/index.ts";
import { Fault } from "../fault/index.ts";

/** The bytes of a module's file. Throws `ArtifactNotFound`, or `ArtifactInvalid` for one that no host would load. */
export async function readModule(path: string): Promise<Uint8Array> {
  const { hardModuleBytes } = ARTIFACT_LIMITS;
  const file = await open(path, "r").catch((thrown: NodeJS.ErrnoException) => {
    const remedy = "Name the file of the module; `sluice build` makes one.";
    throw new Fault("ArtifactNotFound", `${path} cannot be read (${thrown.code})`, { field: "file", remedy });
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new Fault("ArtifactInvalid", `${path} is not a file`, { field: "file" });
    if (stat.size > hardModuleBytes) {
      throw new Fault(
        "ArtifactInvalid",
        `${path} is ${stat.size} bytes long; no host loads more than ${hardModuleBytes}`,
        { field: "file" },
      );
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}
