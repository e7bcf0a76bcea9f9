/** FNV-1a over the UTF-16 units, and the finish of MurmurHash3 so that similar texts weigh nothing alike. */
export function weight(text: string, shard: number): number {
  let hash = 0x811c9dc5;
  for (const unit of [...`${text}#${shard}`].map((one) => one.codePointAt(0) ?? 0)) {
    hash = Math.imul(hash ^ unit, 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The shard of a policy, from 0: the one that weighs most with it. With one shard more, only what moves there moves. */
export function shardOf(key: string, count: number): number {
  let heaviest = 0;
  for (let shard = 1; shard < count; shard += 1) {
    if (weight(key, shard) > weight(key, heaviest)) heaviest = shard;
  }
  return heaviest;
}
