/** A number for people: at most three decimals and no trailing zeros, such as `420`, `4.2` or `0.333`. */
export function figure(x: f64): string {
  if (!(Math.abs(x) < 1e15)) return x.toString();
  const thousandths = <i64>Math.round(Math.abs(x) * 1000);
  const whole = (x < 0 && thousandths > 0 ? "-" : "") + (thousandths / 1000).toString();
  if (thousandths % 1000 == 0) return whole;
  let decimals = (thousandths % 1000).toString().padStart(3, "0");
  while (decimals.endsWith("0")) decimals = decimals.substring(0, decimals.length - 1);
  return `${whole}.${decimals}`;
}

/** Seconds since 1970 of an instant as the contract has it (RFC 3339, UTC). */
export function seconds(instant: string): f64 {
  return <f64>Date.fromString(instant).getTime() / 1000;
}

/** The text as JSON. */
export function quote(text: string): string {
  let quoted = '"';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x20 && code != 0x22 && code != 0x5c && !isLone(text, i)) continue;
    quoted += text.substring(from, i) + escape(code);
    from = i + 1;
  }
  return quoted + text.substring(from) + '"';
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
  return "\\u" + code.toString(16).padStart(4, "0");
}

/** Half a surrogate pair has no UTF-8; escaped, it survives. */
function isLone(text: string, at: i32): bool {
  const code = text.charCodeAt(at);
  if (code < 0xd800 || code > 0xdfff) return false;
  const other = text.charCodeAt(code < 0xdc00 ? at + 1 : at - 1);
  return code < 0xdc00 ? !(other >= 0xdc00 && other <= 0xdfff) : !(other >= 0xd800 && other <= 0xdbff);
}
