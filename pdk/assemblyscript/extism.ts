// The host's side of the Extism ABI. Host memory is not ours: it is read and written eight bytes at a time.
declare class Host {
  @external("extism:host/env", "input_length")
  static inputLength(): u64;
  @external("extism:host/env", "input_load_u64")
  static inputLoad64(offset: u64): u64;
  @external("extism:host/env", "input_load_u8")
  static inputLoad8(offset: u64): u32;
  @external("extism:host/env", "alloc")
  static alloc(length: u64): u64;
  @external("extism:host/env", "store_u64")
  static store64(at: u64, value: u64): void;
  @external("extism:host/env", "store_u8")
  static store8(at: u64, value: u32): void;
  @external("extism:host/env", "length")
  static length(at: u64): u64;
  @external("extism:host/env", "load_u64")
  static load64(at: u64): u64;
  @external("extism:host/env", "load_u8")
  static load8(at: u64): u32;
  @external("extism:host/env", "http_request")
  static httpRequest(request: u64, body: u64): u64;
  @external("extism:host/env", "http_status_code")
  static httpStatus(): i32;
  @external("extism:host/env", "http_headers")
  static httpHeaders(): u64;
  @external("sluice:host", "http_batch")
  static httpBatch(requests: u64): u64;
  @external("extism:host/env", "output_set")
  static outputSet(at: u64, length: u64): void;
  @external("extism:host/env", "error_set")
  static errorSet(at: u64): void;
  @external("extism:host/env", "log_debug")
  static logDebug(at: u64): void;
  @external("extism:host/env", "log_info")
  static logInfo(at: u64): void;
  @external("extism:host/env", "log_warn")
  static logWarn(at: u64): void;
  @external("extism:host/env", "log_error")
  static logError(at: u64): void;
}

/** The bytes of the input. */
export function input(): StaticArray<u8> {
  const length = <i32>Host.inputLength();
  const bytes = new StaticArray<u8>(length);
  const to = changetype<usize>(bytes);
  const words = length & ~7;
  for (let at = 0; at < words; at += 8) store<u64>(to + at, Host.inputLoad64(at));
  for (let at = words; at < length; at++) store<u8>(to + at, Host.inputLoad8(at));
  return bytes;
}

export function output(text: string): void {
  const at = block(text);
  Host.outputSet(at, Host.length(at));
}

export function error(text: string): void {
  Host.errorSet(block(text));
}

/** Makes a request and returns the bytes of the answer's body. */
export function httpRequest(request: string, body: string): StaticArray<u8> {
  return bytesOf(Host.httpRequest(block(request), body.length == 0 ? 0 : block(body)));
}

/** The status of the last answer; 0 if there was none. */
export function httpStatus(): i32 {
  return Host.httpStatus();
}

/** The headers of the last answer, as JSON. */
export function httpHeaders(): StaticArray<u8> {
  return bytesOf(Host.httpHeaders());
}

/** Makes a list of requests and returns the list of their answers; both are JSON. */
export function httpBatch(requests: string): StaticArray<u8> {
  return bytesOf(Host.httpBatch(block(requests)));
}

/** What a block in host memory holds. */
function bytesOf(block: u64): StaticArray<u8> {
  const length = <i32>Host.length(block);
  const bytes = new StaticArray<u8>(length);
  const to = changetype<usize>(bytes);
  const words = length & ~7;
  for (let at = 0; at < words; at += 8) store<u64>(to + at, Host.load64(block + at));
  for (let at = words; at < length; at++) store<u8>(to + at, Host.load8(block + at));
  return bytes;
}

/** What an algorithm writes for whoever looks after it: at most 64 lines and 16 KiB a call are kept. */
export namespace log {
  export function debug(text: string): void {
    Host.logDebug(block(text));
  }
  export function info(text: string): void {
    Host.logInfo(block(text));
  }
  export function warn(text: string): void {
    Host.logWarn(block(text));
  }
  export function error(text: string): void {
    Host.logError(block(text));
  }
}

/** The text in host memory, as exactly its UTF-8 bytes: hosts take the whole block for the text. */
function block(text: string): u64 {
  const bytes = String.UTF8.encode(text);
  const from = changetype<usize>(bytes);
  const length = bytes.byteLength;
  const to = Host.alloc(length);
  const words = length & ~7;
  for (let at = 0; at < words; at += 8) Host.store64(to + at, load<u64>(from + at));
  for (let at = words; at < length; at++) Host.store8(to + at, load<u8>(from + at));
  return to;
}
