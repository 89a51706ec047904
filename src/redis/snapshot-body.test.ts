import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { type BodyEnd, snapshotBody } from './snapshot-body.ts';

const mark = Buffer.from('0123456789abcdef0123456789abcdef01234567');

async function collect(arrivals: Buffer[], end: BodyEnd): Promise<Buffer> {
  const pieces: Buffer[] = [];
  async function* one(): AsyncGenerator<Buffer> {
    const shared = Buffer.alloc(4 * 2 ** 20);
    for (const arrival of arrivals) {
      arrival.copy(shared);
      yield shared.subarray(0, arrival.length);
      // Whoever kept it instead of copying it sees this.
      shared.fill(0xee);
    }
    throw new Error('it read on after the end');
  }
  for await (const piece of snapshotBody(one(), end)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

function cut(bytes: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

test.each([1, 7, 39, 40, 41, 1000])(
  'the mark is found wherever it is cut: pieces of %i bytes',
  async (size) => {
    // All of the mark but its last byte, which by chance could follow.
    const other = Buffer.from([mark[39]! ^ 1]);
    const body = Buffer.concat([randomBytes(500), mark.subarray(0, 39), other, randomBytes(2)]);
    expect((await collect(cut(Buffer.concat([body, mark]), size), { mark })).equals(body)).toBe(true);
    expect((await collect(cut(body, size), { length: body.length })).equals(body)).toBe(true);
  },
);

test.each([2 ** 20 - 41, 2 ** 20 - 40, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20 + 17])(
  'bodies about as long as its buffers: %i bytes',
  async (length) => {
    const body = randomBytes(length);
    for (const size of [65_536, 1_000_003]) {
      expect((await collect(cut(Buffer.concat([body, mark]), size), { mark })).equals(body)).toBe(true);
      expect((await collect(cut(body, size), { length })).equals(body)).toBe(true);
    }
  },
);

test('what follows a body of known length is not taken; an empty one asks for nothing', async () => {
  expect((await collect([Buffer.from('abcdef')], { length: 3 })).toString()).toBe('abc');
  expect((await collect([], { length: 0 })).length).toBe(0);
  expect((await collect([mark], { mark })).length).toBe(0);
});

test('the end of what arrives is told to whoever reads', async () => {
  await expect(collect([Buffer.from('ab')], { length: 3 })).rejects.toThrow('it read on');
});
