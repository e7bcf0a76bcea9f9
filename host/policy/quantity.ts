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
