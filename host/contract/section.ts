/** The custom section in which a module carries its metadata. */
export const SECTION = "sluice.algorithm";

const CUSTOM_SECTION_ID = 0;

/** The module with a custom section at its end, which no engine executes. The bytes before it are unchanged. */
export function withSection(module: Uint8Array, name: string, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const title = new TextEncoder().encode(name);
  const titleLength = leb128(title.length);
  const size = leb128(titleLength.length + title.length + content.length);
  const parts = [module, [CUSTOM_SECTION_ID], size, titleLength, title, content];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** WebAssembly's spelling of an unsigned number: seven bits a byte, the lowest first, the highest bit says "more". */
function leb128(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest === 0 ? low : low | 128);
  } while (rest !== 0);
  return bytes;
}
