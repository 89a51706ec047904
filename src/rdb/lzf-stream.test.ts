import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fault } from './fault.ts';
import { lzfDecompress } from './lzf.ts';
import { LzfStream } from './lzf-stream.ts';

type Token = { literal: Uint8Array } | { run: number; back: number };

/** Compressed bytes that are right, of any tokens, and how long they become. */
function packed(tokens: readonly Token[]): { bytes: Buffer; length: number } {
  const out: number[] = [];
  let length = 0;
  for (const token of tokens) {
    if ('literal' in token) {
      out.push(token.literal.length - 1, ...token.literal);
      length += token.literal.length;
    } else if (length > 0) {
      const back = (token.back % Math.min(length, 8192)) + 1;
      const high = (back - 1) >>> 8;
      if (token.run < 7) out.push((token.run << 5) | high, (back - 1) & 255);
      else out.push((7 << 5) | high, token.run - 7, (back - 1) & 255);
      length += token.run + 2;
    }
  }
  return { bytes: Buffer.from(out), length };
}

const tokens = fc.array(
  fc.oneof(
    fc.record({ literal: fc.uint8Array({ minLength: 1, maxLength: 32 }) }),
    fc.record({ run: fc.integer({ min: 1, max: 262 }), back: fc.nat(10_000) }),
  ),
  { minLength: 1, maxLength: 60 },
);

function unpacked(bytes: Buffer, length: number, pieceBytes: number): Buffer {
  const given: Buffer[] = [];
  const stream = new LzfStream(length, (piece) => given.push(Buffer.from(piece)));
  for (let at = 0; at < bytes.length; at += pieceBytes) stream.add(bytes.subarray(at, at + pieceBytes));
  stream.end();
  return Buffer.concat(given);
}

test('unpacks in pieces what the other unpacks whole', () => {
  fc.assert(
    fc.property(tokens, fc.integer({ min: 1, max: 50 }), (all, pieceBytes) => {
      const { bytes, length } = packed(all);
      const whole = Buffer.alloc(length);
      lzfDecompress(bytes, 0, bytes.length, whole, length, 0);
      expect(unpacked(bytes, length, pieceBytes).equals(whole)).toBe(true);
    }),
  );
});

test('what it reaches back to is kept, however long the string', () => {
  const far = Array.from(
    { length: 20_000 },
    (_, index): Token =>
      index % 3 === 0 ? { literal: Buffer.from(`${index}`) } : { run: (index % 260) + 1, back: index * 31 },
  );
  const { bytes, length } = packed(far);
  const whole = Buffer.alloc(length);
  lzfDecompress(bytes, 0, bytes.length, whole, length, 0);
  expect(length).toBeGreaterThan(1_000_000);
  expect(unpacked(bytes, length, 4096).equals(whole)).toBe(true);
});

test('what is cut short, or no string of that length, is a fault', () => {
  const { bytes, length } = packed([{ literal: Buffer.from('abc') }, { run: 9, back: 1 }]);
  for (const [cut, claimed] of [
    [bytes.subarray(0, -1), length],
    [bytes, length + 1],
    [bytes, length - 1],
    [Buffer.from([0x20, 5]), 3],
  ] as const)
    expect(() => unpacked(cut, claimed, 2)).toThrow(Fault);
});
