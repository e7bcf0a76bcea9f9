import { CPU, INSTANCE_MEMORY, memoryKib, MEMORY, quantity } from "../quantity.ts";
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

/** Processors of an instance. */
export const cpu = (description: string) =>
  text(description, { maxLength: 7 }, { rules: [shaped(CPU, "500m or 2: thousandths or whole processors")] });

/** Memory of an instance. */
export const instanceMemory = (description: string) =>
  text(description, { maxLength: 8 }, { rules: [shaped(INSTANCE_MEMORY, "512Mi or 4Gi")] });

const shaped = (pattern: string, example: string): Rule<string> => ({
  cel: `self.matches('${pattern}')`,
  message: `must be a quantity such as ${example}`,
  holds: (value) => new RegExp(pattern).test(value),
});

/** `min` is no more than `max`, of quantities that are some. */
export const leastUpToMost: Rule<{ readonly min: string; readonly max: string }> = {
  cel: "!isQuantity(self.min) || !isQuantity(self.max) || quantity(self.min).compareTo(quantity(self.max)) <= 0",
  message: "min is above max: lower min or raise max",
  holds: ({ min, max }) => !((quantity(min) ?? 0) > (quantity(max) ?? Infinity)),
};
