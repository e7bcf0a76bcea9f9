// The host's side of the Extism ABI. Host memory is not ours: it is read and written eight bytes at a time.
@external("extism:host/env", "input_length") declare function inputLength(): u64;
@external("extism:host/env", "input_load_u64") declare function inputLoad64(offset: u64): u64;
@external("extism:host/env", "input_load_u8") declare function inputLoad8(offset: u64): u32;
@external("extism:host/env", "alloc") declare function alloc(length: u64): u64;
@external("extism:host/env", "store_u64") declare function store64(at: u64, value: u64): void;
@external("extism:host/env", "store_u8") declare function store8(at: u64, value: u32): void;
@external("extism:host/env", "output_set") declare function outputSet(at: u64, length: u64): void;
@external("extism:host/env", "error_set") declare function errorSet(at: u64): void;
@external("extism:host/env", "log_debug") declare function logDebug(at: u64): void;
@external("extism:host/env", "log_info") declare function logInfo(at: u64): void;
@external("extism:host/env", "log_warn") declare function logWarn(at: u64): void;
@external("extism:host/env", "log_error") declare function logError(at: u64): void;

/** The bytes of the input. */
export function input(): StaticArray<u8> {
  const length = <i32>inputLength();
  const bytes = new StaticArray<u8>(length);
  const to = changetype<usize>(bytes);
  const words = length & ~7;
  for (let at = 0; at < words; at += 8) store<u64>(to + at, inputLoad64(at));
  for (let at = words; at < length; at++) store<u8>(to + at, inputLoad8(at));
  return bytes;
}

export function output(text: string): void {
  const length = String.UTF8.byteLength(text);
  outputSet(block(text), length);
}

export function error(text: string): void {
  errorSet(block(text));
}

/** What an algorithm writes for whoever looks after it: at most 64 lines and 16 KiB a call are kept. */
export namespace log {
  export function debug(text: string): void {
    logDebug(block(text));
  }
  export function info(text: string): void {
    logInfo(block(text));
  }
  export function warn(text: string): void {
    logWarn(block(text));
  }
  export function error(text: string): void {
    logError(block(text));
  }
}

/** The text in host memory, as exactly its UTF-8 bytes: hosts take the whole block for the text. */
function block(text: string): u64 {
  const bytes = String.UTF8.encode(text);
  const from = changetype<usize>(bytes);
  const length = bytes.byteLength;
  const to = alloc(length);
  const words = length & ~7;
  for (let at = 0; at < words; at += 8) store64(to + at, load<u64>(from + at));
  for (let at = words; at < length; at++) store8(to + at, load<u8>(from + at));
  return to;
}
