import { createHash } from "node:crypto";
import wabtInit from "wabt";

const wabt = await wabtInit();

/** Parts of the language that the compiler of the text format takes only if it is told to, such as `threads`. */
export type Features = Parameters<typeof wabt.parseWat>[2];

/** The bytes of a module in the text format. */
export function wasm(text: string, features: Features = {}): Uint8Array {
  const module = wabt.parseWat("test.wat", text, { bulk_memory: true, reference_types: true, ...features });
  try {
    return module.toBinary({}).buffer.slice();
  } finally {
    module.destroy();
  }
}

export const digestOf = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

const ENV = '"extism:host/env"';

/**
 * A module whose steps answer a fixed text: the text lies in memory, is copied into a block eight bytes at a time and given
 * as the answer.
 */
export function answering(answers: Readonly<Record<string, string>>, more = ""): Uint8Array {
  let at = 64;
  const parts = Object.entries(answers).map(([step, text]) => {
    const bytes = Buffer.from(text, "utf8");
    const start = at;
    at += Math.ceil(bytes.length / 8) * 8 + 8;
    const data = [...bytes].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
    return `(data (i32.const ${start}) "${data}") (func (export "${step}") (result i32) (call $say (i32.const ${start}) (i32.const ${bytes.length})) (i32.const 0))`;
  });
  return wasm(`(module
    (import ${ENV} "alloc" (func $alloc (param i64) (result i64)))
    (import ${ENV} "store_u8" (func $store (param i64 i32)))
    (import ${ENV} "output_set" (func $output (param i64 i64)))
    (memory (export "memory") ${Math.ceil((at + 8) / 65_536)})
    (func $say (param $from i32) (param $length i32) (local $block i64) (local $i i32)
      (local.set $block (call $alloc (i64.extend_i32_u (local.get $length))))
      (block $done (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $length)))
        (call $store (i64.add (local.get $block) (i64.extend_i32_u (local.get $i))) (i32.load8_u (i32.add (local.get $from) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
      (call $output (local.get $block) (i64.extend_i32_u (local.get $length))))
    ${parts.join("\n")} ${more})`);
}

/** A module whose plan step does this and answers nothing. */
export const doing = (body: string, imports = "", more = "") =>
  wasm(
    `(module ${imports} (memory (export "memory") 1) ${more} (func (export "plan") (result i32) ${body} (i32.const 0)))`,
  );

/** The declaration of an Extism function. */
export const imported = (name: string, type: string) => `(import ${ENV} "${name}" (func $${name} ${type}))`;
