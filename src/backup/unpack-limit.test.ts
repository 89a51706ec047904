import { expect, test } from 'vitest';
import { boundedUnpacked, unpacksTooFar } from './unpack-limit.ts';

const mib = 2 ** 20;

async function* zeros(bytes: number): AsyncGenerator<Buffer> {
  for (let left = bytes; left > 0; left -= mib) yield Buffer.alloc(Math.min(mib, left));
}

async function count(pieces: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0;
  for await (const piece of pieces) bytes += piece.length;
  return bytes;
}

test('what becomes too much is stopped at the limit, not at its end', async () => {
  const endless = boundedUnpacked(zeros(Number.POSITIVE_INFINITY), mib, 'zstd', 'x.rdb.zst');
  await expect(count(endless)).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
});

test('small things and things that shrink as data does pass', async () => {
  expect(await count(boundedUnpacked(zeros(64 * mib), 100, 'gzip', 'x'))).toBe(64 * mib);
  expect(await count(boundedUnpacked(zeros(100 * mib), mib, 'zstd', 'x'))).toBe(100 * mib);
  expect(unpacksTooFar(3e6, 3e9)).toContain('more than 200 times');
  expect(unpacksTooFar(1, 64 * mib)).toBeUndefined();
});

test('what is not packed is as long as it is', async () => {
  expect(await count(boundedUnpacked(zeros(300 * mib), mib, 'none', 'x'))).toBe(300 * mib);
});
