import { ARTIFACT_LIMITS } from "./limits.ts";

/** What a registry asks for with `401`: a scheme in lower case, and its parameters. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

// One after the other from where the last one ended: a scheme, a parameter with or without quotes, a separator.
const SCHEME = /([A-Za-z][A-Za-z0-9!#$&'*+.^_`|~-]*)(?=[ \t]|,|$)[ \t]*/y;
const PARAMETER = /([A-Za-z0-9_-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))[ \t]*/y;
const SEPARATOR = /[ \t,]+/y;

/** The challenges of a `WWW-Authenticate` header; what cannot be read ends the list. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  if (header.length > ARTIFACT_LIMITS.challengeCharacters) return challenges;
  let parameters: Map<string, string> | undefined;
  let at = 0;
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const found = pattern.exec(header);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  while (at < header.length) {
    if (match(SEPARATOR) !== null) continue;
    const parameter = parameters === undefined ? null : match(PARAMETER);
    if (parameter !== null) {
      const [, name = "", inQuotes, bare = ""] = parameter;
      parameters?.set(name.toLowerCase(), inQuotes?.replace(/\\(.)/g, "$1") ?? bare);
      continue;
    }
    const scheme = match(SCHEME);
    if (scheme === null) return challenges;
    parameters = new Map();
    challenges.push({ scheme: (scheme[1] ?? "").toLowerCase(), parameters });
  }
  return challenges;
}
