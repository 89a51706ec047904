import { expect, test } from 'vitest';
import { copyShort, sameViewOf, viewOf } from './short-copy.ts';

const source = Buffer.from(Array.from({ length: 300 }, (_, index) => (index * 31 + 7) & 255));

test('copies every length from every alignment, and nothing beside it', () => {
  for (let length = 0; length <= 140; length++) {
    for (let from = 0; from < 9; from++) {
      const target = Buffer.alloc(200, 0xaa);
      copyShort(viewOf(target), 11, viewOf(source), from, from + length);
      const expected = Buffer.alloc(200, 0xaa);
      source.copy(expected, 11, from, from + length);
      expect(target.equals(expected)).toBe(true);
    }
  }
});

test('within one buffer, four bytes on or more, it repeats what it has just written', () => {
  for (let distance = 4; distance < 20; distance++) {
    for (let length = 1; length < 60; length++) {
      const words = Buffer.from(source.subarray(0, 100));
      const bytes = Buffer.from(words);
      copyShort(viewOf(words), distance, viewOf(words), 0, length);
      for (let at = 0; at < length; at++) bytes[distance + at] = bytes[at]!;
      expect(words.equals(bytes)).toBe(true);
    }
  }
});

test('a view is of its own buffer, however many there are', () => {
  const buffers = Array.from({ length: 30 }, (_, index) => Buffer.from([index, 255]));
  buffers.push(Buffer.alloc(5 * 2 ** 20, 30));
  for (const order of [buffers, buffers.toReversed(), buffers]) {
    for (const buffer of order) {
      expect(sameViewOf(buffer).getUint8(0)).toBe(buffer[0]);
      expect(sameViewOf(buffer).byteLength).toBe(buffer.length);
    }
  }
});
