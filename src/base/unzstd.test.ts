import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { unzstd, unzstdHere } from './unzstd.ts';
import { Xxh64 } from './xxh64.ts';
import { looksLikeZstd } from './zstd/frames.ts';

/** From the test vectors of xxHash: the seed is 0. */
test.each([
  ['', 0xef46db3751d8e999n],
  ['a', 0xd24ec4f1a98c6e5bn],
  ['abc', 0x44bc2cf5ad770999n],
  ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
])('the XXH64 of %j', (text, expected) => {
  for (const size of [1, 3, 100]) {
    const sum = new Xxh64();
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) sum.update(bytes.subarray(at, at + size));
    expect(sum.digest()).toBe(expected);
  }
});

const text = Buffer.from(
  Array.from({ length: 300_000 }, (_, index) => (index * index * 7 + (index >> 9)) & 255),
);

function zstd(bytes: Buffer, ...args: string[]): Buffer {
  const { stdout, status } = spawnSync('zstd', ['-q', '-c', ...args, '-'], {
    ...{ input: bytes, maxBuffer: 2 ** 26 },
  });
  expect(status).toBe(0);
  return stdout;
}

async function unpack(packed: Buffer, size = 1000, by = unzstdHere): Promise<Buffer> {
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < packed.length; at += size) yield packed.subarray(at, at + size);
  }
  const out: Buffer[] = [];
  for await (const piece of by(pieces())) out.push(Buffer.from(piece));
  return Buffer.concat(out);
}

const skippable = Buffer.concat([
  Buffer.from('552a4d18', 'hex'),
  Buffer.from([3, 0, 0, 0]),
  Buffer.from('abc'),
]);
const empty = Buffer.from('502a4d1800000000', 'hex');

describe('zstd', () => {
  test.each([
    ['with a checksum', zstd(text)],
    ['without', zstd(text, '--no-check')],
    ['hard pressed', zstd(text, '-19')],
    ['one byte repeated', zstd(Buffer.alloc(300_000, 7))],
    ['of nothing', zstd(Buffer.alloc(0))],
    ['of one byte', zstd(Buffer.from('a'))],
    ['of one byte without a checksum', zstd(Buffer.from('a'), '--no-check')],
  ])('%s, in pieces of any size', async (_what, packed) => {
    const whole = await unpack(packed, 2 ** 20);
    expect(whole.equals(spawnSync('zstd', ['-dqc', '-'], { input: packed, maxBuffer: 2 ** 26 }).stdout)).toBe(
      true,
    );
    for (const size of [1, 7, 4097]) expect((await unpack(packed, size)).equals(whole)).toBe(true);
  });

  test('several frames, and skippable ones before, between and behind them', async () => {
    const packed = Buffer.concat([
      skippable,
      zstd(text),
      empty,
      skippable,
      zstd(text, '--no-check'),
      skippable,
    ]);
    expect(looksLikeZstd(packed)).toBe(true);
    for (const size of [1, 5000]) {
      expect((await unpack(packed, size)).equals(Buffer.concat([text, text]))).toBe(true);
    }
  });

  test('a byte that changed is found by the checksum, wherever it is', async () => {
    const packed = zstd(text);
    let found = 0;
    for (let at = 0; at < 200; at++) {
      const bad = Buffer.from(packed);
      bad[20 + at * Math.floor((packed.length - 20) / 200)]! ^= 0x10;
      await unpack(bad, 2 ** 20).then(
        () => undefined,
        () => found++,
      );
    }
    expect(found).toBe(200);
    const last = Buffer.from(packed);
    last[last.length - 1]! ^= 1;
    await expect(unpack(last)).rejects.toThrow(/checksum of a frame/);
  });

  test.each([
    ['cut off', zstd(text).subarray(0, -1), /ends too early/],
    ['followed by something else', Buffer.concat([zstd(text), Buffer.from('more')]), /no frame begins/],
    ['a window of two gigabytes', Buffer.from('28b52ffd00a8', 'hex'), /window of/],
    ['a block of two megabytes', Buffer.from('28b52ffd0050f9ffff', 'hex'), /a block claims 2097151 bytes/],
    [
      'one byte two million times',
      Buffer.from('28b52ffd0050fbffff00', 'hex'),
      /a block claims 2097151 bytes/,
    ],
    ['nothing at all', Buffer.alloc(0), /ends too early/],
  ])('%s is told', async (_what, packed, reason) => {
    await expect(unpack(packed)).rejects.toThrow(reason);
  });
});

describe('by the zstd program', () => {
  test('frames, skippable ones too, come out as they were packed', async () => {
    const packed = Buffer.concat([skippable, zstd(text), empty, zstd(text, '--no-check'), skippable]);
    for (const size of [100, 2 ** 20]) {
      expect((await unpack(packed, size, unzstd)).equals(Buffer.concat([text, text]))).toBe(true);
    }
  });

  test('a block of a few bytes that claims to be long is refused at once, as it is without the program', async () => {
    // Found by `npm run fuzz -- rdb`: another unpacker worked on it for half a minute.
    const frame = [
      'KLUv/YA3ZAAAACEDAFJFRElTMDAxMPoJcmVkaXMtdmVyBjcuMC4xNfoKcmVkaXMtYml0c8BA+gVjdGltZcKQUQhr+g',
      'h1c2VkLW1lbcIQGA8A+ghhwpBRCGv6CHVzZWQtbWVtwhAYDwD6CGFvZi1iYXMotS/9wDVDAAAAAAAAAB0CAGXAAPVA',
      'UCMhbHVhIG5hbWU9bGliYQpyZWRpcy5yZWdpc3Rlcl9mdW5jdGlvbigic2FtZSIsZnVuY3Rpb24oa2V5cywotS/95A',
      'EAAAAAAAAADQAAYff39/cotS/9wAAcKQRKNJs3GQkAAHI=',
    ].join('');
    const began = performance.now();
    await expect(unpack(Buffer.from(frame, 'base64'), 1000, unzstd)).rejects.toThrow();
    await expect(unpack(Buffer.from(frame, 'base64'), 1000, unzstdHere)).rejects.toThrow();
    expect(performance.now() - began).toBeLessThan(5000);
  });

  test.each([
    ['cut off', zstd(text).subarray(0, -1), /premature end/],
    ['followed by something else', Buffer.concat([zstd(text), Buffer.from('more')]), /./],
    ['a window of two gigabytes', Buffer.from('28b52ffd00a8010000', 'hex'), /./],
  ])('%s is told', async (_what, packed, reason) => {
    await expect(unpack(packed, 1000, unzstd)).rejects.toThrow(reason);
  });

  test('who reads only the beginning leaves no program behind, and what fails before it is told as it is', async () => {
    const packed = zstd(text);
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) yield packed;
    }
    async function* failing(): AsyncGenerator<Buffer> {
      yield packed;
      throw new Error('the store is gone');
    }
    for await (const piece of unzstd(endless())) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    const whole = async () => {
      for await (const _ of unzstd(failing()));
    };
    await expect(whole()).rejects.toThrow('the store is gone');
  });
});
