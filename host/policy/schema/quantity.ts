import { memoryKib, MEMORY } from "../quantity.ts";
import { text, type Extras, type Rule } from "./field.ts";

/** How much memory, from `least` to `most`, as a whole number and a unit. */
export function memory(description: string, least: string, most: string, extras: Extras<string> = {}) {
  const [from, to] = [memoryKib(least) ?? 0, memoryKib(most) ?? 0];
  const kib = "(self.endsWith('Ki') ? int(self.replace('Ki', '')) : int(self.replace('Mi', '')) * 1024)";
  const range: Rule<string> = {
    cel: `self.matches('${MEMORY}') && ${kib} >= ${from} && ${kib} <= ${to}`,
    message: `must be a whole number and a unit, Ki or Mi, from ${least} to ${most}, such as 16Mi`,
    holds: (value) => {
      const asked = memoryKib(value);
      return asked !== undefined && asked >= from && asked <= to;
    },
  };
  return text(description, { maxLength: 16 }, { ...extras, rules: [range, ...(extras.rules ?? [])] });
}
