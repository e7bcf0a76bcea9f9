import { fail } from "./failure";
import { NameIndex } from "./names";
import { blanks, isOpening, pastText, pastWord, Span, spans } from "./scan";
import { decimal, decode } from "./text";

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
/** So many fields are looked through faster than an index of them is made. */
const MANY = 16;

/**
 * A piece of JSON, read where it stands: what is never asked for is never decoded. Nothing is guessed: a field that is
 * missing, null or of another type ends the step with its path, such as `config.target: a number is needed, found null`.
 */
export class Value {
  private opened: bool = false;
  /** How many fields or entries it has, and the last of them: each knows the one before it. */
  private count: i32 = 0;
  private last: Value | null = null;
  private before: Value | null = null;
  private entries: Value[] | null = null;
  private byName: NameIndex | null = null;
  /** The name by which it was asked for, where it is not there. */
  private wanted: string | null = null;

  /** From the byte `at` up to the byte `end`, without blanks around it. Empty where nothing is. */
  constructor(
    private at: usize,
    private end: usize,
    private parent: Value | null,
    /** Where the field's name stands, without its quotation marks; 0 for an entry of a list. */
    private nameAt: usize,
    private nameEnd: usize,
    /** Of an object or a list: its entry in the index of them. */
    private span: usize,
  ) {}

  /** What stands for an object that is not there: it has no fields. */
  static none(parent: Value, name: string): Value {
    const none = new Value(0, 0, parent, 0, 0, 0);
    none.wanted = name;
    return none;
  }

  /** Whether the object has the field, be it null. */
  has(name: string): bool {
    return this.find(name) !== null;
  }

  /** The names of the object's fields, in their order. */
  keys(): string[] {
    if (this.at != this.end) this.open(0x7b, "an object");
    const keys = new Array<string>(this.count);
    let part = this.last;
    for (let i = this.count - 1; part !== null; i--) {
      keys[i] = part.name;
      part = part.before;
    }
    return keys;
  }

  /** A number; `preset` if the field is missing, and without a preset that fails. */
  number(name: string, preset: f64 = NaN): f64 {
    const found = this.find(name);
    if (found !== null) return found.asNumber();
    if (isNaN(preset)) this.member(name);
    return preset;
  }

  /** A whole number of 32 bits; `preset` if the field is missing, and without a preset that fails. */
  whole(name: string, preset: i32 = i32.MIN_VALUE): i32 {
    const found = this.find(name);
    if (found !== null) return found.asWhole();
    if (preset == i32.MIN_VALUE) this.member(name);
    return preset;
  }

  /** A text; `preset` if the field is missing, and without a preset that fails. */
  text(name: string, preset: string | null = null): string {
    const found = this.find(name);
    if (found !== null) return found.asText();
    return preset === null ? this.member(name).asText() : preset;
  }

  /** True or false; `preset` if the field is missing. */
  flag(name: string, preset: bool = false): bool {
    const found = this.find(name);
    if (found === null) return preset;
    const first = found.first();
    if (first != 0x74 && first != 0x66) found.refuse("true or false");
    return first == 0x74;
  }

  /** An object; one without fields if the field is missing. */
  object(name: string): Value {
    const found = this.find(name);
    if (found === null) return Value.none(this, name);
    if (found.first() != 0x7b) found.refuse("an object");
    return found;
  }

  /** The field, whatever it is: to copy it. Without fields if it is missing. */
  field(name: string): Value {
    const found = this.find(name);
    return found === null ? Value.none(this, name) : found;
  }

  /** The entries of a list; none if the field is missing. */
  list(name: string): Value[] {
    const found = this.find(name);
    return found === null ? [] : found.asList();
  }

  asNumber(): f64 {
    const first = this.first();
    if (first != 0x2d && (first < 0x30 || first > 0x39)) this.refuse("a number");
    let number = decimal(this.at, this.end);
    if (isNaN(number)) number = parseFloat(this.json);
    if (!isFinite(number)) this.refuse("a finite number");
    return number;
  }

  asWhole(): i32 {
    const number = this.asNumber();
    if (Math.floor(number) != number || Math.abs(number) > i32.MAX_VALUE)
      this.refuse("a whole number of 32 bits");
    return <i32>number;
  }

  asText(): string {
    if (this.first() != QUOTE) this.refuse("a text");
    return decode(this.at + 1, this.end - 1);
  }

  asList(): Value[] {
    this.open(0x5b, "a list");
    let entries = this.entries;
    if (entries === null) {
      entries = new Array<Value>(this.count);
      let part = this.last;
      for (let i = this.count - 1; part !== null; i--) {
        entries[i] = part;
        part = part.before;
      }
      this.entries = entries;
    }
    return entries;
  }

  /** The JSON as it was written: big integers and `1.0` keep their spelling. Empty where nothing is. */
  get json(): string {
    return String.UTF8.decodeUnsafe(this.at, this.end - this.at);
  }

  /** Where this stands, such as `config.nodes.split`. */
  get path(): string {
    const parent = this.parent;
    if (parent === null) return this.name;
    if (this.nameAt == 0 && this.wanted === null) return `${parent.path}[${this.position}]`;
    return parent.parent === null ? this.name : `${parent.path}.${this.name}`;
  }

  /** The name of the field that this is. */
  private get name(): string {
    const wanted = this.wanted;
    return wanted === null ? decode(this.nameAt, this.nameEnd) : wanted;
  }

  /** How many entries of the list are before this one. */
  private get position(): i32 {
    let position = 0;
    let part = this.before;
    while (part !== null) {
      position++;
      part = part.before;
    }
    return position;
  }

  private isNamed(name: string): bool {
    const length = <i32>(this.nameEnd - this.nameAt);
    let i = 0;
    for (; i < length; i++) {
      const byte = load<u8>(this.nameAt + i);
      // An escape, or a letter beyond ASCII: only the decoded name can tell.
      if (byte == BACKSLASH || byte >= 0x80) return this.name == name;
      if (i >= name.length || byte != load<u16>(changetype<usize>(name) + (i << 1))) return false;
    }
    return i == name.length;
  }

  /** The field, which has to be there. */
  private member(name: string): Value {
    const found = this.find(name);
    if (found === null) fail(`${Value.none(this, name).path}: is missing`);
    return found!;
  }

  /** Of a name that stands twice the last counts, as in every JSON parser. */
  private find(name: string): Value | null {
    if (this.at == this.end) return null;
    if (!this.opened) this.open(0x7b, "an object");
    if (this.count > MANY) return this.findIndexed(name);
    let part = this.last;
    while (part !== null && !part.isNamed(name)) part = part.before;
    return part;
  }

  /** The field of an object with one for each node, where looking through all for all would be slow. */
  private findIndexed(name: string): Value | null {
    let index = this.byName;
    if (index === null) {
      index = new NameIndex(this.count);
      const parts = new Array<Value>(this.count);
      let part = this.last;
      for (let i = this.count - 1; part !== null; i--) {
        parts[i] = part;
        part = part.before;
      }
      for (let i = 0; i < parts.length; i++) index.put(parts[i].name, i);
      this.byName = index;
      this.entries = parts;
    }
    const at = index.first(name);
    return at < 0 ? null : this.entries![at];
  }

  private first(): u8 {
    return this.at == this.end ? 0 : load<u8>(this.at);
  }

  private refuse(needed: string): void {
    const found = this.at == this.end ? "nothing" : this.json;
    fail(
      `${this.path}: ${needed} is needed, found ${found.length > 40 ? found.substring(0, 40) + "…" : found}`,
    );
  }

  /** Finds where the fields of an object or the entries of a list stand. */
  private open(bracket: u8, needed: string): void {
    if (this.opened) return;
    if (this.first() != bracket) this.refuse(needed);
    this.opened = true;
    let at = blanks(this.at + 1, this.end);
    let span = this.span + offsetof<Span>();
    while (at < this.end && load<u8>(at) != bracket + 2) {
      let nameAt: usize = 0;
      let nameEnd: usize = 0;
      if (bracket == 0x7b) {
        nameAt = at + 1;
        at = this.pastName(at);
        nameEnd = at - 1;
        at = blanks(this.pastColon(at), this.end);
      }
      const part = valueAt(at, this.end, this, nameAt, nameEnd, span);
      if (part.end == at) fail(`${this.path}: is not JSON, a value is missing`);
      if (part.span != 0) span += changetype<Span>(span).next;
      part.before = this.last;
      this.last = part;
      this.count++;
      at = blanks(part.end, this.end);
      if (at < this.end && load<u8>(at) == 0x2c) at = blanks(at + 1, this.end);
    }
    if (at >= this.end) fail(`${this.path}: is not JSON, it ends too early`);
  }

  private pastName(at: usize): usize {
    if (load<u8>(at) != QUOTE) fail(`${this.path}: is not JSON, a field has no name`);
    return pastText(at, this.end);
  }

  private pastColon(at: usize): usize {
    at = blanks(at, this.end);
    if (at >= this.end || load<u8>(at) != 0x3a) fail(`${this.path}: is not JSON, a field has no value`);
    return at + 1;
  }
}

/** The one value of a JSON text; it is called by this name where it is not what it should be. */
export function parse(bytes: StaticArray<u8>, name: string = "input"): Value {
  const from = changetype<usize>(bytes);
  const end = from + bytes.length;
  const at = blanks(from, end);
  const nameAt = changetype<usize>(String.UTF8.encode(name));
  const span = at < end && isOpening(load<u8>(at)) ? spans(at, end) : 0;
  return valueAt(at, end, null, nameAt, nameAt + String.UTF8.byteLength(name), span);
}

/** The value that begins at `at`; if it is an object or a list, `span` is its entry in the index of them. */
function valueAt(
  at: usize,
  end: usize,
  parent: Value | null,
  nameAt: usize,
  nameEnd: usize,
  span: usize,
): Value {
  const first = at < end ? load<u8>(at) : 0;
  if (isOpening(first)) return new Value(at, changetype<Span>(span).end, parent, nameAt, nameEnd, span);
  const past = first == QUOTE ? pastText(at, end) : pastWord(at, end);
  return new Value(at, past, parent, nameAt, nameEnd, 0);
}
