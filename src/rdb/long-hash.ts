import { KeyHash } from './key-hash.ts';
import { sameViewOf } from './short-copy.ts';

const prime1 = 0x9e3779b1 | 0;
const prime2 = 0x85ebca77 | 0;
const longBytes = 64;

/**
 * A KeyHash that takes long texts several times faster: four lanes of 32 bits, each as xxHash32 has them, and what they
 * come to is hashed as a short text. For sums that need to find accidents; those who choose texts can make long ones
 * collide. Source: the xxHash specification, "XXH32 algorithm description", steps 1 and 2.
 */
export class LongHash extends KeyHash {
  private readonly rest = Buffer.alloc(40);

  override update(seed: number, text: Buffer, from: number, to: number): void {
    if (to - from < longBytes) {
      super.update(seed, text, from, to);
      return;
    }
    const view = sameViewOf(text);
    let a = (seed + prime1 + prime2) | 0;
    let b = (seed + prime2) | 0;
    let c = seed;
    let d = (seed - prime1) | 0;
    const last = to - 16;
    let at = from;
    for (; at <= last; at += 16) {
      a = (a + Math.imul(view.getInt32(at, true), prime2)) | 0;
      a = Math.imul((a << 13) | (a >>> 19), prime1);
      b = (b + Math.imul(view.getInt32(at + 4, true), prime2)) | 0;
      b = Math.imul((b << 13) | (b >>> 19), prime1);
      c = (c + Math.imul(view.getInt32(at + 8, true), prime2)) | 0;
      c = Math.imul((c << 13) | (c >>> 19), prime1);
      d = (d + Math.imul(view.getInt32(at + 12, true), prime2)) | 0;
      d = Math.imul((d << 13) | (d >>> 19), prime1);
    }
    const { rest } = this;
    rest.writeInt32LE(a, 0);
    rest.writeInt32LE(b, 4);
    rest.writeInt32LE(c, 8);
    rest.writeInt32LE(d, 12);
    rest.writeDoubleLE(to - from, 16);
    const tail = text.copy(rest, 24, at, to);
    super.update(seed, rest, 0, 24 + tail);
  }
}
