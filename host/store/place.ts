import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../fault/index.ts";

/** Where knowledge is kept, as it was said on a command line. */
export interface PlaceWords {
  /** The state directory. */
  readonly state: string;
  /** A file with the URL of a PostgreSQL database, so that its password stands in no list of processes. */
  readonly urlFile: string | undefined;
}

/** What `openStore` is given: the database that the file names, else the file in the state directory. Throws `UsageInvalid`. */
export async function placeOf({ state, urlFile }: PlaceWords): Promise<{ file: string } | { url: string }> {
  if (urlFile === undefined) return { file: join(state, "knowledge.db") };
  const text = await readFile(urlFile, "utf8").catch((cause: unknown) => {
    throw refused(`${urlFile} cannot be read`, cause);
  });
  const url = text.trim();
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol))
    throw refused(`${urlFile} has no URL of a PostgreSQL database`);
  return { url };
}

const refused = (message: string, cause?: unknown) =>
  new Fault("UsageInvalid", `--knowledge-url-file: ${message}`, {
    remedy:
      "Name a file with one line, such as postgres://user:password@host:5432/sluice?sslmode=verify-full.",
    cause,
  });
