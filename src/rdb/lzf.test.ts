import { expect, test } from 'vitest';
import { Fault } from './fault.ts';
import { LzfChecker, lzfCanBe, lzfDecompress } from './lzf.ts';

/** 'ab', then three references: short, long, and one that overlaps itself. */
const packed = Buffer.from([1, 0x61, 0x62, 0x20, 1, 0xe0, 0x05, 1, 0x20, 0]);
const plain = 'ababa'.padEnd(2 + 3 + 14, 'ba').slice(0, 19);

function decompress(bytes: Buffer, length: number): string {
  const target = Buffer.alloc(length);
  lzfDecompress(bytes, 0, bytes.length, target, length, 0);
  return target.toString();
}

function check(bytes: Buffer, length: number, pieceBytes: number): void {
  const checker = new LzfChecker();
  checker.start(bytes.length, length);
  let at = 0;
  for (let end = pieceBytes; checker.left > 0; end += pieceBytes) {
    at = checker.advance(bytes, at, Math.min(end, bytes.length), 0);
    if (end > bytes.length * 4 + pieceBytes) throw new Error('it does not come to an end');
  }
}

test('decompresses literals and references', () => {
  const out = decompress(packed, 22);
  expect(out).toHaveLength(22);
  expect(out.startsWith(plain)).toBe(true);
  expect(out.at(-1)).toBe(out.at(-2));
});

test('the checker comes to the same verdict, however the bytes are cut', () => {
  for (const size of [1, 2, 3, 5, 100]) expect(() => check(packed, 22, size)).not.toThrow();
  for (const size of [1, 3, 100]) expect(() => check(packed, 21, size)).toThrow(/more bytes than announced/);
  for (const size of [1, 3, 100]) expect(() => check(packed, 23, size)).toThrow(/gives 22 bytes where 23/);
});

test.each([
  ['a reference before the start', [0, 0x61, 0x20, 5]],
  ['a literal run past the end', [9, 0x61]],
  ['a reference cut short', [0, 0x61, 0xe0, 1]],
  ['nothing after a control byte', [0, 0x61, 0x20]],
])('%s is a fault, for both', (_what, bytes) => {
  expect(() => decompress(Buffer.from(bytes), 10)).toThrow(Fault);
  expect(() => check(Buffer.from(bytes), 10, 100)).toThrow(Fault);
});

test('a length that nothing could become is known without trying', () => {
  expect(lzfCanBe(3, 264)).toBe(true);
  expect(lzfCanBe(3, 265)).toBe(false);
  expect(lzfCanBe(0, 5)).toBe(false);
});
