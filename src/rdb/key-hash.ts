import { randomBytes } from 'node:crypto';

/**
 * A 96-bit hash of a key and its database, in three 32-bit words: HalfSipHash with one round a word and three at
 * the end, made longer as its authors make 64 bits of 32; the third word is the other half of the last state. The
 * secret it starts from is random, so no file can be made to collide; by chance two of a billion keys do with a
 * probability of about 10^-11. That is why sets of keys keep the hashes and not the keys. Source: the SipHash
 * reference, halfsiphash.c.
 */
export class KeyHash {
  a = 0;
  b = 0;
  c = 0;
  private readonly seed0: number;
  private readonly seed1: number;

  constructor(secret: Buffer = randomBytes(8)) {
    this.seed0 = secret.readInt32LE(0);
    this.seed1 = secret.readInt32LE(4);
  }

  /** Hashes key[from, to); the result stands in a, b and c. */
  update(db: number, key: Uint8Array, from: number, to: number): void {
    let v0 = this.seed0;
    let v1 = this.seed1 ^ 0xee;
    let v2 = 0x6c796765 ^ this.seed0;
    let v3 = 0x74656462 ^ this.seed1;
    // The words are the database, the key, and its last bytes with its length; then six rounds without a word.
    const tail = from + ((to - from) & ~3);
    let at = from - 4;
    for (let left = -1; left < 6; ) {
      let word = 0;
      if (at < from) word = db;
      else if (at < tail) word = key[at]! | (key[at + 1]! << 8) | (key[at + 2]! << 16) | (key[at + 3]! << 24);
      else if (left < 0) {
        word = (to - from) << 24;
        for (let last = tail, shift = 0; last < to; last++, shift += 8) word |= key[last]! << shift;
        left = 0;
      } else {
        if (left === 0) v2 ^= 0xee;
        else if (left === 3) {
          this.a = v1 ^ v3;
          v1 ^= 0xdd;
        }
        left++;
      }
      at += 4;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    this.b = v1 ^ v3;
    this.c = v0 ^ v2;
  }
}
