/** The hash of Kafka's default partitioner, so that a key lands in the same queue here as there. */
const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** Non-negative 31-bit hash of the first `length` of `bytes`. */
export function murmur2(bytes: Uint8Array, length = bytes.length): number {
  let hash = SEED ^ length;
  const wholeEnd = length - (length % 4);
  for (let at = 0; at < wholeEnd; at += 4) {
    let k = byte(bytes, at) | (byte(bytes, at + 1) << 8) | (byte(bytes, at + 2) << 16) | (byte(bytes, at + 3) << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    hash = Math.imul(hash, M) ^ Math.imul(k, M);
  }
  for (let at = length - 1; at >= wholeEnd; at -= 1) hash ^= byte(bytes, at) << (8 * (at - wholeEnd));
  if (wholeEnd < length) hash = Math.imul(hash, M);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  hash ^= hash >>> 15;
  return hash & 0x7fffffff;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}
