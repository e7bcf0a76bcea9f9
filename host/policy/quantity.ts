/** A whole number and a unit of memory. */
export const MEMORY = "^[1-9][0-9]{0,5}(Ki|Mi)$";
const SHAPE = new RegExp(MEMORY);
/** A page of WebAssembly's memory. */
const PAGE_KIB = 64;

/** The KiB of a quantity such as `512Ki` or `16Mi`; undefined for anything else. */
export function memoryKib(text: string): number | undefined {
  const unit = SHAPE.exec(text)?.[1];
  return unit === undefined ? undefined : Number.parseInt(text, 10) * (unit === "Mi" ? 1_024 : 1);
}

/** The whole pages of 64 KiB in a quantity; undefined for what is none. */
export function memoryPages(text: string): number | undefined {
  const kib = memoryKib(text);
  return kib === undefined ? undefined : Math.floor(kib / PAGE_KIB);
}

/** Processors in thousandths (`250m`) or whole ones (`2`), as a policy bounds them. */
export const CPU = "^[1-9][0-9]{0,5}m?$";
/** Memory of an instance, as a policy bounds it. */
export const INSTANCE_MEMORY = "^[1-9][0-9]{0,5}(Mi|Gi)$";

const QUANTITY = /^(\d{1,18}(?:\.\d{0,9})?|\.\d{1,9})(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi|[eE][+-]?\d{1,2})?$/;
const UNITS: Readonly<Record<string, number>> = {
  ...{ m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50 },
};

/** The number that a Kubernetes quantity such as `500m`, `1.5Gi` or `2e9` stands for; undefined for anything else, and below 0. */
export function quantity(text: string): number | undefined {
  const [, number, suffix = ""] = QUANTITY.exec(text) ?? [];
  if (number === undefined) return undefined;
  return /^[eE]/.test(suffix) ? Number(`${number}${suffix}`) : Number(number) * (UNITS[suffix] ?? 1);
}
