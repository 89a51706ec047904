import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ByteSink } from './byte-sink.ts';
import { highHalf, lowHalf } from './int64.ts';
import { LongHash } from './long-hash.ts';
import { RdbVerifier, type VerifyOptions } from './verify.ts';
import { RdbWriter } from './writer.ts';

interface Entry {
  db?: number;
  key: string;
  value: string;
  expireMs?: number;
}

async function digestOf(entries: Entry[], options: VerifyOptions = {}) {
  const pieces: Buffer[] = [];
  const sink = new ByteSink(async (bytes) => {
    pieces.push(Buffer.from(bytes));
  });
  const writer = new RdbWriter(sink, 'redis', 10);
  writer.begin([]);
  let db = -1;
  for (const entry of entries) {
    if ((entry.db ?? 0) !== db) {
      db = entry.db ?? 0;
      writer.selectDb(db);
    }
    const key = Buffer.from(entry.key);
    const value = Buffer.from(entry.value);
    const expireMs = BigInt(entry.expireMs ?? -1);
    const expiry = { expireHigh: highHalf(expireMs), expireLow: lowHalf(expireMs) };
    writer.entryHead({ ...expiry, idle: -1, freq: -1, type: 0 }, key, 0, key.length);
    writer.bytes(Buffer.from([0x40 | (value.length >> 8), value.length & 255]), 0, 2);
    writer.bytes(value, 0, value.length);
    writer.settle();
  }
  writer.finish();
  await sink.flush();
  return verify(Buffer.concat(pieces), options);
}

function verify(file: Buffer, options: VerifyOptions = {}) {
  const verifier = new RdbVerifier({ digest: true, ...options });
  // In pieces, so that values are cut.
  for (let at = 0; at < file.length; at += 50) verifier.push(file.subarray(at, at + 50));
  return verifier.finish();
}

const long = 'l'.repeat(300);
const base: Entry[] = [
  { key: 'a', value: '1' },
  { key: 'b', value: long },
  { db: 3, key: 'a', value: '2', expireMs: 2_000_000_000_000 },
];

test('the order of the keys does not matter; whatever else changes does', async () => {
  const { dataDigest } = await digestOf(base);
  expect(dataDigest).toMatch(/^d2:[0-9a-f]{24}$/);
  expect((await digestOf(base.toReversed())).dataDigest).toBe(dataDigest);
  const changed: Entry[][] = [
    base.slice(1),
    [...base, { key: 'c', value: '' }],
    base.map((each) => ({ ...each, db: 0, key: `${each.db ?? 0}${each.key}` })),
    base.map((each) => ({ ...each, db: (each.db ?? 0) + 1 })),
    base.map((each) => (each.expireMs ? { ...each, expireMs: each.expireMs + 1 } : each)),
    base.map((each) => (each.value === '1' ? { ...each, value: '2' } : each)),
    base.map((each) => (each.value === long ? { ...each, value: `${long}l` } : each)),
    base.map((each) =>
      each.value === long ? { ...each, value: `${long.slice(0, 150)}m${long.slice(151)}` } : each,
    ),
    base.map((each) => ({
      ...each,
      value: each.value === '1' ? long : each.value === long ? '1' : each.value,
    })),
  ];
  const digests = await Promise.all(changed.map(async (entries) => (await digestOf(entries)).dataDigest));
  expect(new Set([dataDigest, ...digests]).size).toBe(changed.length + 1);
});

test('keys that have expired by then are left out, of the counts as well', async () => {
  const alive = await digestOf(base, { aliveAtMs: 2_000_000_000_000 });
  expect(alive).toMatchObject({ keys: 2, databases: [{ db: 0, keys: 2, expiring: 0 }] });
  expect(alive.dataDigest).toBe((await digestOf(base.slice(0, 2))).dataDigest);
  const before = await digestOf(base, { aliveAtMs: 1_999_999_999_999 });
  expect(before.dataDigest).toBe((await digestOf(base)).dataDigest);
});

test('how a value is encoded does not matter: the same hash as a zipmap and as a ziplist', () => {
  const folder = new URL('../../test/fixtures/rdb/redis-assets/', import.meta.url);
  const files = ['hash-zipmap.rdb', 'hash-ziplist.rdb'].map((name) => readFileSync(new URL(name, folder)));
  const [zipmap, ziplist] = files.map((file) => verify(file));
  expect(zipmap?.keys).toBeGreaterThan(0);
  expect(zipmap?.dataDigest).toBe(ziplist?.dataDigest);
});

test('long texts: every byte counts, wherever it stands', () => {
  const hash = new LongHash(Buffer.from('holdfast'));
  const text = Buffer.alloc(150, 7);
  const sums = new Set<string>();
  for (let at = -1; at < 150; at++) {
    if (at >= 0) text[at]! ^= 1;
    hash.update(0, text, 0, 150);
    sums.add([hash.a, hash.b, hash.c].join());
    // The same, elsewhere in a buffer.
    const moved = Buffer.concat([Buffer.alloc(3), text]);
    const before = [hash.a, hash.b, hash.c];
    hash.update(0, moved, 3, 153);
    expect([hash.a, hash.b, hash.c]).toEqual(before);
    if (at >= 0) text[at]! ^= 1;
  }
  for (const length of [63, 64, 65, 149]) {
    hash.update(0, text, 0, length);
    sums.add([hash.a, hash.b, hash.c].join());
  }
  expect(sums.size).toBe(155);
});
