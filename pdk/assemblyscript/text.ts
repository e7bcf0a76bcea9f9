/** A number for people: at most three decimals and no trailing zeros, such as `420`, `4.2` or `0.333`. */
export function figure(x: f64): string {
  if (!(Math.abs(x) < 1e15)) return spell(x);
  if (<f64>(<i32>x) == x) return (<i32>x).toString();
  const thousandths = <i64>Math.round(Math.abs(x) * 1000);
  const whole = (x < 0 && thousandths > 0 ? "-" : "") + (thousandths / 1000).toString();
  if (thousandths % 1000 == 0) return whole;
  let decimals = (thousandths % 1000).toString().padStart(3, "0");
  while (decimals.endsWith("0")) decimals = decimals.substring(0, decimals.length - 1);
  return `${whole}.${decimals}`;
}

/** A number as JSON has it in every language: the fewest digits that mean it, and no point after a whole number. */
export function spell(x: f64): string {
  const text = x.toString();
  return text.endsWith(".0") ? text.substring(0, text.length - 2) : text;
}

/** Seconds since 1970 of an instant as the contract has it (RFC 3339, UTC). */
export function seconds(instant: string): f64 {
  return <f64>Date.fromString(instant).getTime() / 1000;
}

/** The text as JSON. */
export function quote(text: string): string {
  const first = toEscape(text, 0);
  if (first == text.length) return joined('"', text, '"');
  const parts: string[] = [];
  let from = 0;
  for (let at = first; at < text.length; at = toEscape(text, from)) {
    parts.push(text.substring(from, at));
    parts.push(escape(text.charCodeAt(at)));
    from = at + 1;
  }
  return joined('"', parts.join("") + text.substring(from), '"');
}

/** The three texts as one. Short pieces are copied by hand: a bulk copy costs as much as dozens of characters. */
export function joined(before: string, text: string, after: string): string {
  const whole = __new((before.length + text.length + after.length) << 1, idof<string>());
  append(append(append(whole, before), text), after);
  return changetype<string>(whole);
}

/** Writes the text where there is room for it, and returns where the next one goes. */
export function append(to: usize, text: string): usize {
  const from = changetype<usize>(text);
  const size = <usize>text.length << 1;
  if (size > 128) memory.copy(to, from, size);
  else {
    let at: usize = 0;
    for (; at + 8 <= size; at += 8) store<u64>(to + at, load<u64>(from + at));
    for (; at < size; at += 2) store<u16>(to + at, load<u16>(from + at));
  }
  return to + size;
}

/** Where the next character is that JSON wants escaped; the text's length if there is none. */
function toEscape(text: string, from: i32): i32 {
  const start = changetype<usize>(text);
  const length = text.length;
  for (let i = from; i < length; i++) {
    const code = <i32>load<u16>(start + ((<usize>i) << 1));
    if (code < 0x20 || code == 0x22 || code == 0x5c || (code >= 0xd800 && isLone(text, i))) return i;
  }
  return length;
}

/** The text that stands in UTF-8 between the quotation marks of a JSON text. */
export function decode(at: usize, end: usize): string {
  for (let byte = at; byte < end; byte++)
    if (load<u8>(byte) >= 0x80 || load<u8>(byte) == 0x5c) return unquote(String.UTF8.decodeUnsafe(at, end - at));
  const text = changetype<usize>(__new((end - at) << 1, idof<string>()));
  for (let byte = at, to = text; byte < end; byte++, to += 2) store<u16>(to, load<u8>(byte));
  return changetype<string>(text);
}

/**
 * The number, if it is written with at most 15 digits and without an exponent: then both the digits and the power of ten
 * are exact, and so is what their division rounds to. NaN for every other.
 */
export function decimal(at: usize, end: usize): f64 {
  const negative = at < end && load<u8>(at) == 0x2d;
  if (negative) at++;
  if (at == end || end - at > 16) return NaN;
  let digits: i64 = 0;
  let point = end;
  for (let i = at; i < end; i++) {
    const digit = load<u8>(i) - 0x30;
    if (digit <= 9) digits = digits * 10 + digit;
    else if (digit == 0xfe && point == end && i > at && i + 1 < end) point = i;
    else return NaN;
  }
  if (point == end && end - at > 15) return NaN;
  let scale: f64 = 1;
  for (let i = point + 1; i < end; i++) scale *= 10;
  const number = <f64>digits / scale;
  return negative ? -number : number;
}

/** The text that stands between the quotation marks of a JSON text. */
export function unquote(raw: string): string {
  let at = raw.indexOf("\\");
  if (at < 0) return raw;
  let text = "";
  let from = 0;
  while (at >= 0) {
    const code = raw.charCodeAt(at + 1);
    text += raw.substring(from, at);
    if (code == 0x75) text += String.fromCharCode(<i32>parseInt(raw.substr(at + 2, 4), 16));
    else text += unescape(code);
    from = at + (code == 0x75 ? 6 : 2);
    at = raw.indexOf("\\", from);
  }
  return text + raw.substring(from);
}

function unescape(code: i32): string {
  if (code == 0x6e) return "\n";
  if (code == 0x74) return "\t";
  if (code == 0x72) return "\r";
  if (code == 0x62) return "\b";
  if (code == 0x66) return "\f";
  return String.fromCharCode(code);
}

function escape(code: i32): string {
  if (code == 0x22) return '\\"';
  if (code == 0x5c) return "\\\\";
  if (code == 0x0a) return "\\n";
  if (code == 0x09) return "\\t";
  if (code == 0x0d) return "\\r";
  if (code == 0x08) return "\\b";
  if (code == 0x0c) return "\\f";
  return "\\u" + code.toString(16).padStart(4, "0");
}

/** Half a surrogate pair has no UTF-8; escaped, it survives. */
function isLone(text: string, at: i32): bool {
  const code = text.charCodeAt(at);
  if (code < 0xd800 || code > 0xdfff) return false;
  const other = text.charCodeAt(code < 0xdc00 ? at + 1 : at - 1);
  return code < 0xdc00 ? !(other >= 0xdc00 && other <= 0xdfff) : !(other >= 0xd800 && other <= 0xdbff);
}
