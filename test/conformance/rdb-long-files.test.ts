import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runRdb } from '../support/rdb-cli.ts';
import { makeRdb } from '../support/rdb-files.ts';

/** Files that are long enough for a thread to read them: what it reads is told as well as what is read without it. */
let folder: string;
let bytes: Buffer;
const file = (name: string) => path.join(folder, name);
const keys = 60_000;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'holdfast-rdb-long-'));
  const value = 'abcdefghij'.repeat(70);
  bytes = await makeRdb(Array.from({ length: keys }, (_, index) => ({ key: `key:${index}`, value })));
  expect(bytes.length).toBeGreaterThan(40 * 2 ** 20);
  writeFileSync(file('long.rdb'), bytes);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a long file is good, and the same as through a pipe', async () => {
  const byName = (await runRdb(['verify', '--json', file('long.rdb')])).json();
  expect(byName).toMatchObject({ ok: true, keys, checksum: 'matches', bytes: bytes.length });
  const sums = [];
  for (const [name, stdin] of [
    [file('long.rdb'), Buffer.alloc(0)],
    ['-', bytes],
  ] as const) {
    const ran = await runRdb(['resp', name], stdin);
    expect(ran.status).toBe(0);
    sums.push(createHash('sha256').update(ran.stdout).digest('hex'));
  }
  expect(sums[0]).toBe(sums[1]);
});

test('one flipped bit far behind, and an end that is missing, are told with their places', async () => {
  const flipped = Buffer.from(bytes);
  const at = flipped.indexOf('abcdefghij', 35 * 2 ** 20);
  flipped[at]! ^= 1;
  writeFileSync(file('flipped.rdb'), flipped);
  const bad = await runRdb(['verify', '--json', file('flipped.rdb')]);
  expect(bad.status).toBe(3);
  expect(bad.json()).toMatchObject({ ok: false, code: 'RDB_CORRUPT' });
  expect(bad.stdout.toString()).toContain('wrong checksum');
  truncateSync(file('flipped.rdb'), at);
  const short = await runRdb(['verify', '--json', file('flipped.rdb')]);
  expect(short.status).toBe(3);
  expect(short.json()).toMatchObject({ ok: false, code: 'RDB_TRUNCATED', bytesRead: at });
});

test('two long files are joined into one that is whole; when one of them is bad, into none', async () => {
  const merged = file('merged.rdb');
  const ran = await runRdb(['merge', '-o', merged, '--db', '2:0=1', file('long.rdb'), file('long.rdb')]);
  expect(ran.status).toBe(0);
  const report = (await runRdb(['verify', '--json', merged])).json();
  expect(report).toMatchObject({ ok: true, keys: keys * 2, checksum: 'matches' });
  const before = readFileSync(merged).length;
  truncateSync(file('long.rdb'), bytes.length - 1);
  const failed = await runRdb(['merge', '-o', merged, '--on-conflict', 'last', merged, file('long.rdb')]);
  expect(failed.status).toBe(1);
  expect(failed.stderr).toContain('long.rdb');
  expect(readFileSync(merged).length).toBe(before);
  expect(readdirSync(folder).filter((name) => name.includes('.tmp'))).toEqual([]);
});
