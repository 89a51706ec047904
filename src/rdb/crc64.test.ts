import { expect, test } from 'vitest';
import { Crc64 } from './crc64.ts';

const text = Buffer.from('123456789');

/** The definition, a bit at a time. */
function slowCrc(bytes: Buffer): string {
  let crc = 0n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x95ac9329ac4bc9b5n : crc >> 1n;
  }
  return crc.toString(16).padStart(16, '0');
}

function crcOf(bytes: Buffer): Crc64 {
  const crc = new Crc64();
  crc.update(bytes);
  return crc;
}

test('gives the check value of the polynomial', () => {
  expect(crcOf(text).toString()).toBe('e9c6d914c4b8d9ca');
});

test('agrees with the definition for every length and alignment', () => {
  const bytes = Buffer.from(Array.from({ length: 64 }, (_, index) => (index * 167 + 13) & 255));
  for (let from = 0; from < 9; from++) {
    for (let to = from; to <= 64; to += 5) {
      const part = bytes.subarray(from, to);
      const crc = new Crc64();
      crc.update(bytes, from, to);
      expect(crc.toString()).toBe(slowCrc(part));
    }
  }
});

test('takes over the sum of a part that was summed up elsewhere', () => {
  const bytes = Buffer.alloc(100_003, 'abcdefghijk');
  for (const cut of [0, 1, 8, 4096, 65_537, 100_003]) {
    const crc = crcOf(bytes.subarray(0, cut));
    const rest = crcOf(bytes.subarray(cut));
    crc.append(rest.low, rest.high, bytes.length - cut);
    expect(crc.toString()).toBe(crcOf(bytes).toString());
  }
});
