import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync } from "node:zlib";

/** Modules made by wasm-tools `smith` and `mutate` (`make.ts`), in one compressed file. */
export const MODULES = join(import.meta.dirname, "corpus.bin.br");

/** Several modules as one file: each behind its length. */
export function pack(modules: readonly Uint8Array[]): Uint8Array {
  const parts = modules.flatMap((module) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(module.length);
    return [length, module];
  });
  return brotliCompressSync(Buffer.concat(parts));
}

/** The modules of the corpus. */
export function readModules(): Uint8Array[] {
  const bytes = brotliDecompressSync(readFileSync(MODULES));
  const modules: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32LE(at);
    modules.push(new Uint8Array(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return modules;
}
