import { expect, test } from 'vitest';
import { inPieces, lengthPrefixed, makeRdb, rdbFixture, rdbFixtures } from '../../test/support/rdb-files.ts';
import { HoldfastError } from '../base/errors.ts';
import { type BodyMode, bodyMode } from './body/mode.ts';
import type { ValueVisitor } from './body/visitor.ts';
import { problemOf, type RdbProblem } from './errors.ts';
import { TrailingBytes } from './pump.ts';
import { Scanner } from './scanner.ts';

const visitor: ValueVisitor = {
  begin: () => {},
  text: () => {},
  score: () => {},
  fieldExpiry: () => {},
  streamEntry: () => {},
  streamInfo: () => {},
  streamGroup: () => {},
  moduleValue: () => {},
  end: () => {},
};

/** Reads in one mode; returns the problem, or undefined when the file is good. Anything else that is thrown is a bug. */
function problemIn(
  bytes: Buffer,
  mode: BodyMode = bodyMode.check,
  pieceBytes = bytes.length,
): RdbProblem | undefined {
  try {
    const scanner = new Scanner({ key: () => ({ mode, raw: undefined, visitor }) });
    const trailing = new TrailingBytes(scanner);
    for (const piece of inPieces(bytes, Math.max(pieceBytes, 1))) trailing.add(piece, scanner.push(piece));
    scanner.finish();
    trailing.check();
    return undefined;
  } catch (error) {
    const problem = problemOf(error);
    if (problem === undefined || !(error instanceof HoldfastError)) throw error;
    expect(problem.offset).toBeGreaterThanOrEqual(0);
    expect(problem.offset).toBeLessThanOrEqual(bytes.length);
    return problem;
  }
}

const small = rdbFixtures().filter(({ name, bytes }) => bytes.length < 700 && !name.startsWith('corrupt'));

test.each(small)('$name, cut at every byte, is told to be cut', ({ bytes }) => {
  // Version 5 and later end with a checksum; before that, the end mark is the last byte.
  const version = Number(bytes.toString('latin1', 5, 9)) || 80;
  const whole = version >= 5 ? bytes.length : bytes.lastIndexOf(0xff) + 1;
  for (const mode of [bodyMode.skip, bodyMode.check, bodyMode.decode]) {
    for (let length = 0; length < whole; length++) {
      const problem = problemIn(bytes.subarray(0, length), mode);
      expect(problem?.kind, `${length} bytes`).toMatch(/truncated|corrupt/);
    }
  }
});

const summed = small.filter(
  ({ bytes }) =>
    Number(bytes.toString('latin1', 5, 9)) >= 5 && !/^0+$/.test(bytes.subarray(-8).toString('hex')),
);

test.each(summed)('$name, with any bit flipped, is told to be corrupt', ({ bytes }) => {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >>> 3]! ^= 1 << (bit & 7);
    for (const mode of [bodyMode.skip, bodyMode.check, bodyMode.decode]) {
      expect(problemIn(flipped, mode), `bit ${bit}`).toBeDefined();
    }
  }
});

test('a number of random changes never meets anything but a clear error', () => {
  let state = 12_345;
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const bases = rdbFixtures().filter(({ bytes }) => bytes.length < 6000);
  let bad = 0;
  for (let round = 0; round < 6000; round++) {
    const bytes = Buffer.from(bases[random(bases.length)]!.bytes);
    for (let change = random(4) + 1; change > 0; change--) bytes[random(bytes.length)] = random(256);
    const mode = [bodyMode.skip, bodyMode.check, bodyMode.decode][round % 3]!;
    if (problemIn(bytes, mode, [bytes.length, 13][round % 2]) !== undefined) bad++;
  }
  expect(bad).toBeGreaterThan(3000);
});

const head = Buffer.from('REDIS0010');
const petabyte = Buffer.from([0x81, 0, 4, 0, 0, 0, 0, 0, 0]);
const body = (typeByte: number, ...parts: Buffer[]) =>
  Buffer.concat([head, Buffer.from([typeByte]), lengthPrefixed('k'), ...parts]);

test.each([
  ['a string', body(0, petabyte)],
  ['a list', body(1, petabyte)],
  ['a packed hash', body(16, petabyte)],
  ['a quicklist', body(18, Buffer.from([1, 2]), petabyte)],
  ['a stream', body(15, petabyte)],
  ['a compressed string', body(0, Buffer.from([0xc3]), petabyte, petabyte)],
  ['a key', Buffer.concat([head, Buffer.from([0]), petabyte])],
  ['a field', Buffer.concat([head, Buffer.from([0xfa]), petabyte])],
  ['a function', Buffer.concat([head, Buffer.from([0xf5]), petabyte])],
])('%s that claims a petabyte costs nothing', (_what, bytes) => {
  const before = process.memoryUsage();
  for (const mode of [bodyMode.skip, bodyMode.check, bodyMode.decode]) {
    expect(problemIn(bytes, mode)?.kind).toMatch(/truncated|corrupt|too-large/);
  }
  const after = process.memoryUsage();
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(16 * 2 ** 20);
});

const claims = (bytes: number) => {
  const length = Buffer.alloc(5, 0x80);
  length.writeUInt32BE(bytes, 1);
  return length;
};
/** As much as may become that, so that its length alone must be what is refused. */
const packedClaim = (bytes: number) =>
  Buffer.concat([Buffer.from([0xc3]), claims(Math.ceil(bytes / 88)), claims(bytes)]);

test.each([
  ['the name of a field', [0xfa], 2 ** 16],
  ['a field', [0xfa, 1, 0x61], 2 ** 24],
  ['a function library', [0xf5], 2 ** 26],
  ['a key', [0x00], 2 ** 29],
])('%s is refused by its length, packed or not, before it has come', (_what, before, most) => {
  for (const claim of [claims, packedClaim]) {
    const file = (bytes: number) => Buffer.concat([head, Buffer.from(before), claim(bytes)]);
    expect(problemIn(file(most))?.kind).toBe('truncated');
    expect(problemIn(file(most + 1))?.kind).toBe('too-large');
  }
});

test('what is no RDB is told at once, with a guess at what it is', () => {
  expect(problemIn(Buffer.from('hello'))?.reason).toMatch(/not an RDB: it starts with "hello"/);
  expect(problemIn(Buffer.from('*2\r\n$6\r\nSELECT\r\n'))?.reason).toMatch(/append-only file/);
  expect(problemIn(Buffer.from('file appendonly.aof.1.base.rdb seq 1'))?.reason).toMatch(/manifest/);
  expect(problemIn(Buffer.from('$1024\r\nREDIS0010'))?.reason).toMatch(/replication stream/);
  expect(problemIn(Buffer.alloc(0))?.reason).toBe('the file is empty');
  expect(problemIn(Buffer.from('REDIS0000'))?.kind).toBe('unsupported');
  expect(problemIn(Buffer.from('VALKEY011'))?.kind).toBe('unsupported');
});

test('a mark before a key cannot be repeated without end', () => {
  const mark = Buffer.concat([Buffer.from([0xfc]), Buffer.alloc(8)]);
  expect(problemIn(Buffer.concat([head, ...Array.from({ length: 100 }, () => mark)]))?.reason).toMatch(
    /too many marks/,
  );
});

test('formats of pre-releases, and of newer servers, are refused by name', () => {
  expect(problemIn(body(6, Buffer.from([0])))).toMatchObject({ kind: 'unsupported' });
  expect(problemIn(Buffer.concat([head, Buffer.from([0xf6, 0])]))).toMatchObject({ kind: 'unsupported' });
  expect(problemIn(Buffer.concat([head, Buffer.from([0xf3, 0])]))).toMatchObject({ kind: 'unsupported' });
  expect(problemIn(body(99))).toMatchObject({ kind: 'unsupported' });
  expect(problemIn(body(8))).toMatchObject({ kind: 'corrupt' });
});

test('the message names the byte, the database and the key', async () => {
  const bytes = await makeRdb([
    { key: 'fine', value: 'x' },
    { db: 3, key: 'bad\u0001', type: 16, value: lengthPrefixed('not a listpack') },
  ]);
  const problem = problemIn(bytes);
  expect(problem).toMatchObject({ kind: 'corrupt', db: 3, key: Buffer.from('bad\u0001') });
  expect(problem?.reason).toMatch(/^listpack: its header says/);
  expect(problem?.offset).toBe(bytes.indexOf('not a listpack'));
});

test('a stream may go on behind the RDB', () => {
  const bytes = rdbFixture('expiration.rdb');
  const more = Buffer.concat([bytes, Buffer.from('*1\r\n$4\r\nPING\r\n')]);
  for (const size of [1, 10, 1000]) {
    const scanner = new Scanner({ key: () => ({ mode: bodyMode.skip, raw: undefined }) });
    let taken = 0;
    for (const piece of inPieces(more, size)) taken += scanner.push(piece);
    scanner.finish();
    expect(scanner.isDone).toBe(true);
    expect(taken).toBe(bytes.length);
  }
});

/** Without its checksum, so that what is spoilt is read. */
const unsummed = (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -8), Buffer.alloc(8)]);

test.each(small.filter(({ bytes }) => Number(bytes.toString('latin1', 5, 9)) >= 5))(
  '$name, spoilt at any byte: checking finds whatever reading stumbles over',
  ({ bytes }) => {
    for (const [at, change] of Array.from(bytes.keys()).flatMap((i) =>
      [0x01, 0x41, 0xff].map((x) => [i, x] as const),
    )) {
      if (at < 9 || at >= bytes.length - 8) continue;
      const spoilt = unsummed(bytes);
      spoilt[at] = (spoilt[at] as number) ^ change;
      const [checked, read] = [bodyMode.check, bodyMode.decode].map((mode) => problemIn(spoilt, mode));
      expect(checked !== undefined, `byte ${at} with ${change}`).toBe(read !== undefined);
    }
  },
);
