import { Options } from "./options";

/**
 * Seconds for which the job will stand still: as configured or, with tracking, as long as the longest restart that is
 * remembered, up to the limit. What is below 0 is not known.
 */
export function restartSeconds(lasted: f64[], options: Options): f64 {
  const configured = Math.floor(options.restartMs / 1000);
  if (!options.restartTracked) return configured;
  let longest: f64 = -1;
  for (let i = 0; i < lasted.length; i++) if (lasted[i] > longest) longest = lasted[i];
  return longest < 0 ? configured : Math.floor(Math.min(longest, options.restartLimitMs) / 1000);
}
