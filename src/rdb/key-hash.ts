import { randomBytes } from 'node:crypto';
import { sameViewOf } from './short-copy.ts';

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

  /**
   * Hashes key[from, to); the result stands in a, b and c. The round is written twice, with a word and without: what
   * gave back four numbers would have to put them in memory.
   */
  update(db: number, key: Buffer, from: number, to: number): void {
    const view = sameViewOf(key);
    let v0 = this.seed0;
    let v1 = this.seed1 ^ 0xee;
    let v2 = 0x6c796765 ^ this.seed0;
    let v3 = 0x74656462 ^ this.seed1;
    // The words are the database, the key, and its last bytes with its length.
    const tail = from + ((to - from) & ~3);
    let word = db;
    for (let at = from; ; at += 4) {
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
      if (at < tail) {
        word = view.getInt32(at, true);
      } else if (at === tail) {
        word = (to - from) << 24;
        for (let last = tail, shift = 0; last < to; last++, shift += 8) word |= key[last]! << shift;
      } else {
        break;
      }
    }
    v2 ^= 0xee;
    for (let round = 0; round < 6; round++) {
      if (round === 3) {
        this.a = v1 ^ v3;
        v1 ^= 0xdd;
      }
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
    }
    this.b = v1 ^ v3;
    this.c = v0 ^ v2;
  }
}
