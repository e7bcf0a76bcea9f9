const NONE: i32 = -1;
/** The hash is FNV-1a: cheap for short names. */
const OFFSET: u32 = 0x811c9dc5;
const PRIME: u32 = 0x01000193;

/** Places by name. Places of the same name are chained: the one that was put in last comes first. */
export class NameIndex {
  private names: StaticArray<string>;
  /** By bucket the place that was put in last, and by place the one before it in the same bucket. */
  private heads: StaticArray<i32> ;
  private nexts: StaticArray<i32>;

  /** For so many places, counted from 0. */
  constructor(places: i32) {
    this.names = new StaticArray<string>(places);
    this.nexts = new StaticArray<i32>(places);
    let buckets = 8;
    while (buckets < places) buckets <<= 1;
    this.heads = new StaticArray<i32>(buckets);
    this.heads.fill(NONE);
  }

  /** Adds a place that has the name. */
  put(name: string, place: i32): void {
    const bucket = this.bucketOf(name);
    unchecked((this.names[place] = name));
    unchecked((this.nexts[place] = this.heads[bucket]));
    unchecked((this.heads[bucket] = place));
  }

  /** The place of the name; -1 if there is none. */
  first(name: string): i32 {
    return this.from(unchecked(this.heads[this.bucketOf(name)]), name);
  }

  /** The next place of the same name; -1 if there is none. */
  after(place: i32): i32 {
    return this.from(unchecked(this.nexts[place]), unchecked(this.names[place]));
  }

  private from(place: i32, name: string): i32 {
    while (place != NONE && unchecked(this.names[place]) != name) place = unchecked(this.nexts[place]);
    return place;
  }

  private bucketOf(name: string): i32 {
    const from = changetype<usize>(name);
    const end = from + ((<usize>name.length) << 1);
    let hash = OFFSET;
    for (let at = from; at < end; at += 2) hash = (hash ^ load<u16>(at)) * PRIME;
    return (hash ^ (hash >> 15)) & (this.heads.length - 1);
  }
}
