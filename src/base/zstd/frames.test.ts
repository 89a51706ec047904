/**
 * What the zstd program packs in any of its ways is unpacked as it was; what it refuses is refused, and nothing that a file
 * says makes the work longer than its bytes, and those that come out, are worth.
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { chooseSeed, Random } from '../../../test/support/random.ts';
import { Frames } from './frames.ts';

function unpack(packed: Buffer): Buffer {
  const frames = new Frames();
  const out: Buffer[] = [];
  for (let at = 0; at < packed.length; ) {
    at += frames.take(packed.subarray(at));
    const ready = frames.ready();
    if (ready !== undefined) out.push(ready);
  }
  frames.finish();
  return Buffer.concat(out);
}

function program(args: string[], input: Buffer): Buffer | undefined {
  const { stdout, status } = spawnSync('zstd', ['-q', '-c', ...args, '-'], { input, maxBuffer: 2 ** 27 });
  return status === 0 ? stdout : undefined;
}

/** Bytes as they come in files: repeated at many distances, of few kinds, and of all. */
function sample(random: Random, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let at = 0;
  while (at < length) {
    const count = Math.min(length - at, 1 + random.below(random.pick([3, 40, 3000, 200_000])));
    const way = random.below(5);
    const kinds = random.pick([1, 2, 20, 256]);
    if (way < 2 && at > 0) {
      const from = Math.max(0, at - 1 - random.below(random.pick([3, 300, 70_000, at])));
      for (let i = 0; i < count; i++) bytes[at + i] = bytes[from + i]!;
    } else for (let i = 0; i < count; i++) bytes[at + i] = way === 2 ? i : random.below(kinds);
    at += count;
  }
  return bytes;
}

const ways = [
  ...[['-1'], ['--fast=9'], ['-3', '--no-check'], ['-9'], ['-19'], ['--ultra', '-22'], ['-6', '--long=27']],
  ...[
    ['-3', '--no-compress-literals'],
    ['-3', '--no-content-size'],
    ['-2', '--no-row-match-finder'],
  ],
];

describe('what the zstd program packed', () => {
  test.each(ways.map((args) => [args.join(' '), args] as const))(
    'with %s',
    (_what, args) => {
      const random = new Random(chooseSeed());
      // The hardest pressing takes seconds, whatever the length, unless it is told that it is short.
      const isSlow = ['-19', '-22'].includes(args.at(-1)!);
      for (const length of isSlow ? [200_000] : [0, 1, 5, 300, 70_000, 700_000]) {
        const bytes = sample(random, length);
        const packed = program(isSlow ? [...args, `--size-hint=${length}`] : [...args], bytes);
        expect(packed).toBeDefined();
        expect(unpack(packed!).equals(bytes), `${length} bytes`).toBe(true);
      }
    },
    60_000,
  );

  test('that was changed is refused, or is what the program makes of it', () => {
    const random = new Random(chooseSeed());
    const counts = { refused: 0, taken: 0 };
    // The program is begun for few of them: that takes longer than all the rest.
    const packs = [['-1'], ['-9'], ['-3', '--no-compress-literals'], ['--fast=9']].flatMap((args) =>
      [40, 900, 5000].map((length) => program([...args, '--no-check'], sample(random, length))!),
    );
    for (let run = 0; run < 100; run++) {
      const packed = Buffer.from(random.pick(packs));
      for (let changes = 1 + random.below(3); changes > 0; changes--)
        packed[random.below(packed.length)]! ^= 1 << random.below(8);
      let found: Buffer;
      try {
        found = unpack(packed);
      } catch {
        // Also some that the program lets pass: it does not look whether a bitstream is used up.
        counts.refused++;
        continue;
      }
      counts.taken++;
      expect([run, found.toString('hex')]).toEqual([run, program(['-d'], packed)?.toString('hex')]);
    }
    expect(counts.refused).toBeGreaterThan(20);
    expect(counts.taken).toBeGreaterThan(20);
  }, 120_000);
});

/** A frame without checksum and content size, whose window is `window` bytes as its code says. */
function frame(windowCode: number, ...blocks: [kind: number, size: number, content: Buffer][]): Buffer {
  const parts = blocks.map(([kind, size, content], i) => {
    const head = Buffer.alloc(3);
    head.writeUIntLE((size << 3) | (kind << 1) | (i === blocks.length - 1 ? 1 : 0), 0, 3);
    return Buffer.concat([head, content]);
  });
  return Buffer.concat([Buffer.from('28b52ffd00', 'hex'), Buffer.from([windowCode]), ...parts]);
}

const window128M = 0x88;
const window128K = 0x38;
const nothing = Buffer.alloc(0);

describe('work is bounded', () => {
  test('a block whose sequences cost nothing and copy 128 KiB each ends with the first that is too long', () => {
    // One literal; 65,535 + 0x7f00 sequences; each table has one symbol: no literals, an offset of before, the longest match.
    const many = Buffer.from([0x08, 0x41, 0xff, 0xff, 0xff, 0x54, 0x00, 0x00, 0x34]);
    const bits = Buffer.alloc(100_000, 0xff);
    const block = Buffer.concat([many, bits]);
    const packed = frame(window128K, [1, 100, Buffer.from('a')], [2, block.length, block]);
    expect(() => unpack(packed)).toThrow('a block gives more than 131072 bytes');
  });

  test('a million empty blocks in a window of 128 MiB take no longer than reading them', () => {
    const blocks = Buffer.alloc(3_000_000);
    const packed = Buffer.concat([frame(window128M, [1, 2 ** 17, Buffer.from('a')]), nothing]);
    // The first block is not the last one.
    packed[6]! &= ~1;
    const began = performance.now();
    expect(() => unpack(Buffer.concat([packed, blocks]))).toThrow('it ends too early');
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test('frames that want 128 MiB each and give nothing take no memory', () => {
    const one = frame(window128M, [0, 0, nothing]);
    const many = Buffer.concat(new Array<Buffer>(20_000).fill(one));
    const before = process.memoryUsage().arrayBuffers;
    const frames = new Frames();
    for (let at = 0; at < many.length; ) at += frames.take(many.subarray(at));
    frames.finish();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  });

  test('what is kept of a long file is its window', () => {
    const megabytes = 40;
    const blocks = Array.from({ length: megabytes * 8 }, (_, i) => {
      const text = Buffer.from([i & 255]);
      return [1, 2 ** 17, text] as [number, number, Buffer];
    });
    const packed = frame(window128K, ...blocks);
    const before = process.memoryUsage().arrayBuffers;
    const frames = new Frames();
    let given = 0;
    for (let at = 0; at < packed.length; ) {
      at += frames.take(packed.subarray(at));
      given += frames.ready()?.length ?? 0;
    }
    frames.finish();
    expect(given).toBe(megabytes * 2 ** 20);
    // Pieces that were given away may not be collected yet; the history itself is little more than a megabyte.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan((megabytes + 8) * 2 ** 20);
  });

  test.each([
    ['a dictionary', '28b52ffd01000501000000', 'a frame needs a dictionary'],
    ['a copy from before its frame', '', 'a block copies from before its frame'],
    [
      'a table of codes that no one is the longest of',
      '28b52ffd0038650000820202809027' + '6c447d210100',
      'weights of literals',
    ],
    ['a table of the block before the first', '28b52ffd00382d00001340000100', 'no table for its literals'],
  ])('%s is refused', (_what, hex, reason) => {
    // One literal, one sequence with predefined tables: whatever it says, nothing was there before.
    const block = Buffer.from([0x08, 0x41, 0x01, 0x54, 0x01, 0x05, 0x00, 0x3f]);
    const packed = hex === '' ? frame(window128K, [2, block.length, block]) : Buffer.from(hex, 'hex');
    expect(() => unpack(packed)).toThrow(reason);
  });
});
