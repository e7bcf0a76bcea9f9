/** A module of one function, `end`, that does nothing but trap. */
const TRAP = [
  [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  [1, 4, 1, 0x60, 0, 0],
  [3, 2, 1, 0],
  [7, 7, 1, 3, 0x65, 0x6e, 0x64, 0, 0],
  [10, 5, 1, 3, 0, 0, 0x0b],
].flat();

const end = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(TRAP))).exports[
  "end"
] as () => never;

/**
 * Ends a call from inside a host function. What JavaScript throws, a guest with exceptions could catch and go on; a trap it
 * cannot.
 */
export function trap(): never {
  return end();
}
