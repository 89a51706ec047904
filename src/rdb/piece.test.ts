import { expect, test } from 'vitest';
import { makeRdb, memorySink, memorySpill } from '../../test/support/rdb-files.ts';
import { Crc64 } from './crc64.ts';
import { mergeFiles } from './merge.ts';
import { tellOfPiece } from './piece.ts';
import { pump } from './pump.ts';
import { RdbVerifier } from './verify.ts';
import { RdbWriter } from './writer.ts';

/** Three buffers take turns, as they do when a file is read; what was in one before is overwritten. */
async function* pieces(bytes: Buffer, size: number, withSums: boolean): AsyncGenerator<Buffer> {
  const room = 100;
  const buffers = [0, 1, 2].map(() => Buffer.alloc(room + size));
  for (let at = 0, turn = 0; at < bytes.length; at += size, turn++) {
    const buffer = buffers[turn % 3]!.fill(0xee);
    const piece = buffer.subarray(room, room + bytes.copy(buffer, room, at, at + size));
    if (withSums) {
      const crc = new Crc64();
      crc.update(piece);
      tellOfPiece(piece, { low: crc.low, high: crc.high, room });
    }
    yield piece;
  }
}

async function verify(bytes: Buffer, size: number): Promise<string> {
  const verifier = new RdbVerifier();
  await pump(pieces(bytes, size, true), verifier.scanner);
  return verifier.finish().checksum;
}

async function merge(files: Buffer[], size: number, withSums: boolean): Promise<Buffer> {
  const { sink, bytes } = memorySink();
  const inputs = files.map((file, index) => ({
    name: String(index),
    open: () => pieces(file, size, withSums),
  }));
  let writer: RdbWriter | undefined;
  await mergeFiles(
    inputs,
    async (target) => {
      writer = new RdbWriter(sink, target.flavor, target.version);
      return writer;
    },
    {
      onConflict: 'first',
      nowMs: 0,
      spill: memorySpill(),
      onConflictFound: () => {},
      onUnloadable: () => {},
    },
  );
  writer!.finish();
  return bytes();
}

/** Short values, and now and then one that is longer than several pieces; every fifth key is in every file. */
async function makeFile(name: string): Promise<Buffer> {
  return makeRdb(
    Array.from({ length: 300 }, (_, index) => ({
      key: `${index % 5 === 0 ? 'shared' : name}:${index}`,
      value: name.repeat(index % 50 === 0 ? 60_000 : index % 40),
      ...(index % 3 === 0 ? { expireMs: 4_102_444_800_000 + index } : {}),
    })),
  );
}

const sizes = [37, 1000, 16_384, 100_000, 10_000_000];

test('with sums of its pieces a file is as good, or as bad, as without', async () => {
  const file = await makeFile('one');
  const wrongSum = Buffer.from(file);
  wrongSum[wrongSum.length - 1]! ^= 1;
  const wrongByte = Buffer.from(file);
  wrongByte[wrongByte.indexOf('oneoneone') + 500]! ^= 1;
  for (const size of sizes) {
    expect(await verify(file, size)).toBe('matches');
    expect(await verify(Buffer.concat([file, Buffer.alloc(size, 'x')]), size)).toBe('matches');
    await expect(verify(wrongSum, size)).rejects.toThrow(/wrong checksum/);
    await expect(verify(wrongByte, size)).rejects.toThrow(/wrong checksum/);
  }
});

test('what is merged is the same, and whole, with sums and without, however it is cut', async () => {
  const files = [await makeFile('one'), await makeFile('two'), await makeFile('three')];
  const expected = await merge(files, 10_000_000, false);
  for (const size of sizes) {
    for (const withSums of [true, false]) {
      const merged = await merge(files, size, withSums);
      expect(merged.equals(expected)).toBe(true);
      expect(await verify(merged, size)).toBe('matches');
    }
  }
});
