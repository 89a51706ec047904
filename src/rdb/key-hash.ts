import { randomBytes } from 'node:crypto';

/**
 * A 96-bit hash of a key and its database, in three 32-bit words: HalfSipHash with one round a word and three at
 * the end, made longer as its authors make 64 bits of 32. The secret it starts from is random, so no file can be
 * made to collide; by chance two of a billion keys do with a probability of about 10^-11. That is why sets of keys
 * keep the hashes and not the keys. Source: the SipHash reference, halfsiphash.c.
 */
export class KeyHash {
  a = 0;
  b = 0;
  c = 0;
  private readonly seed0: number;
  private readonly seed1: number;
  private v0 = 0;
  private v1 = 0;
  private v2 = 0;
  private v3 = 0;

  constructor(secret: Buffer = randomBytes(8)) {
    this.seed0 = secret.readInt32LE(0);
    this.seed1 = secret.readInt32LE(4);
  }

  /** Hashes key[from, to); the result stands in a, b and c. */
  update(db: number, key: Uint8Array, from: number, to: number): void {
    this.v0 = this.seed0;
    this.v1 = this.seed1 ^ 0xee;
    this.v2 = 0x6c796765 ^ this.seed0;
    this.v3 = 0x74656462 ^ this.seed1;
    this.word(db);
    let at = from;
    for (; at + 4 <= to; at += 4) {
      this.word(key[at]! | (key[at + 1]! << 8) | (key[at + 2]! << 16) | (key[at + 3]! << 24));
    }
    let last = (to - from) << 24;
    for (let shift = 0; at < to; at++, shift += 8) last |= key[at]! << shift;
    this.word(last);
    this.v2 ^= 0xee;
    this.a = this.squeeze();
    this.v1 ^= 0xdd;
    this.b = this.squeeze();
    this.v1 ^= 0xcc;
    this.c = this.squeeze();
  }

  private word(value: number): void {
    this.v3 ^= value;
    this.round();
    this.v0 ^= value;
  }

  private squeeze(): number {
    this.round();
    this.round();
    this.round();
    return this.v1 ^ this.v3;
  }

  private round(): void {
    let { v0, v1, v2, v3 } = this;
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
    this.v0 = v0;
    this.v1 = v1;
    this.v2 = v2;
    this.v3 = v3;
  }
}
