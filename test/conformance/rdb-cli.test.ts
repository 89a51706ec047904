import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { holdfastMain, runProgram, runRdb } from '../support/rdb-cli.ts';
import { makeRdb, rdbFixture } from '../support/rdb-files.ts';

let folder: string;
let good: string;
let bad: string;
const file = (name: string) => path.join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'holdfast-rdb-cli-'));
  good = file('good.rdb');
  bad = file('bad.rdb');
  const bytes = await makeRdb([
    { key: 'a', value: '1' },
    { key: 'b', value: 'two', expireMs: 4_102_444_800_000 },
  ]);
  writeFileSync(good, bytes);
  const flipped = Buffer.from(bytes);
  flipped[flipped.indexOf('two')]! ^= 1;
  writeFileSync(bad, flipped);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Files whose names start so, hidden ones too. */
function left(prefix: string): string[] {
  return readdirSync(folder).filter((name) => name.replace(/^\./, '').startsWith(prefix));
}

test('verify: 0 when all files are good, 3 when one is bad, 1 when one is not there', async () => {
  const both = await runRdb(['verify', good, bad]);
  expect(both.status).toBe(3);
  expect(both.stdout.toString()).toMatch(/^good .*good\.rdb: RDB version 10, 2 keys/m);
  expect(both.stdout.toString()).toMatch(
    /^bad {2}.*bad\.rdb: byte \d+.*wrong checksum: the file says [0-9a-f]{16}/m,
  );
  expect((await runRdb(['verify', good])).status).toBe(0);
  const missing = await runRdb(['verify', '--json', file('missing.rdb')]);
  expect(missing.status).toBe(1);
  expect(missing.json()).toMatchObject({ error: { code: 'RDB_UNREADABLE' } });
  const json = (await runRdb(['verify', '--json', bad])).json();
  expect(json).toMatchObject({ ok: false, code: 'RDB_CORRUPT', problems: [{ kind: 'corrupt' }] });
});

test('the corrupt files of Redis are told, each with its reason', async () => {
  for (const [name, reason] of [
    ['corrupt_ziplist.rdb', /byte 489, database 0, key 'key:000000000091': ziplist: 5 bytes are too few/],
    ['corrupt_empty_keys.rdb', /key 'list_quicklist_empty_ziplist': the value has no elements/],
  ] as const) {
    const ran = await runRdb(['verify', '-'], rdbFixture(name));
    expect(ran.status).toBe(3);
    expect(ran.stdout.toString()).toMatch(reason);
  }
});

test('from stdin to stdout, with the report on stderr', async () => {
  const ran = await runRdb(['filter', '--match', 'a', '-o', '-', '-'], readFileSync(good));
  expect(ran.status).toBe(0);
  expect(ran.stderr).toMatch(/1 keys of 2/);
  const json = await runRdb(['json', '-'], ran.stdout);
  expect(JSON.parse(json.stdout.toString())).toEqual([
    { db: 0, key: 'a', type: 'string', encoding: 'raw', value: '1' },
  ]);
  const merged = await runRdb(
    ['merge', '-o', '-', '-', good, '--prefix', 'x:', '--prefix', ''],
    readFileSync(good),
  );
  const lines = (await runRdb(['json', '--lines', '-'], merged.stdout)).stdout.toString().trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { key: string }).key)).toEqual(['x:a', 'x:b', 'a', 'b']);
});

test('a reader that has seen enough is told as that', async () => {
  const long = file('long.rdb');
  writeFileSync(long, await makeRdb([{ key: 'a', value: 'x'.repeat(4 * 2 ** 20) }]));
  const ran = await runProgram(
    'sh',
    [
      '-c',
      '{ "$0" "$1" rdb json "$2"; echo "status $?" >&2; } | head -c 10',
      process.execPath,
      holdfastMain,
      long,
    ],
    Buffer.alloc(0),
  );
  expect(ran.stdout).toHaveLength(10);
  expect(ran.stderr).toMatch(/stdout was closed by its reader/);
  expect(ran.stderr).toMatch(/status 1/);
});

test('zstd is unpacked on the way, and told when it is cut', async () => {
  const packed = readFileSync(
    fileURLToPath(new URL('../fixtures/rdb/packed/encodings.rdb.zst', import.meta.url)),
  );
  const ran = await runRdb(['verify', '--json', '-'], packed);
  expect(ran.json()).toMatchObject({ ok: true, keys: 13 });
  const cut = await runRdb(['verify', '--json', '-'], packed.subarray(0, 200));
  expect(cut.status).toBe(3);
  expect(cut.json()).toMatchObject({ ok: false });
});

test('an output is whole or not there, and nothing is left beside it', async () => {
  for (const args of [
    ['filter', '-o', file('out.rdb'), bad],
    ['merge', '-o', file('out.rdb'), good, bad, '--on-conflict', 'first'],
    ['merge', '-o', file('out.rdb'), good, good],
    ['json', '-o', file('out.json'), bad],
    ['split', '--by', '2', '-o', file('parts'), bad],
  ]) {
    const ran = await runRdb(args);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toMatch(/RDB_CORRUPT|RDB_CONFLICT/);
    if (args.includes(bad)) expect(ran.stderr).toContain(`${bad}: byte `);
    expect(left('out')).toEqual([]);
  }
  expect(existsSync(file('parts'))).toBe(false);
  const nowhere = await runRdb(['filter', '-o', file('no/such/folder.rdb'), good]);
  expect(nowhere.status).toBe(1);
  expect(nowhere.stderr).toMatch(/RDB_UNWRITABLE/);
});

test('an output that was there before stays when the new one fails', async () => {
  writeFileSync(file('kept.rdb'), 'before');
  expect((await runRdb(['filter', '-o', file('kept.rdb'), bad])).status).toBe(1);
  expect(readFileSync(file('kept.rdb'), 'utf8')).toBe('before');
});

test('what a target cannot hold is listed, the rest is written, and the status says so', async () => {
  const hash = file('expiring.rdb');
  writeFileSync(hash, rdbFixture('hash_with_hfe.rdb'));
  const ran = await runRdb(['merge', '--json', '-o', file('old.rdb'), '--for', 'redis-7.0', hash, good]);
  expect(ran.status).toBe(3);
  expect(ran.json()).toMatchObject({
    keysWritten: 2,
    unloadable: 1,
    unloadableList: [{ what: 'key', db: 0, key: 'hash-hfe', reason: expect.stringMatching(/fields expire/) }],
  });
  expect((await runRdb(['verify', '--json', file('old.rdb')])).json()).toMatchObject({
    ok: true,
    version: 10,
    keys: 2,
  });
});

test('memory adds up by prefix, and conflicts go to a file', async () => {
  const bytes = await makeRdb(['u:1', 'u:2', 'v:1', 'alone'].map((key) => ({ key, value: 'x'.repeat(100) })));
  writeFileSync(file('prefixes.rdb'), bytes);
  const report = (await runRdb(['memory', '--json', file('prefixes.rdb')])).json();
  const prefixes = report['prefixes'] as { prefix: string; keys: number }[];
  expect(prefixes.map(({ prefix, keys }) => `${prefix} ${keys}`).toSorted()).toEqual([' 1', 'u: 2', 'v: 1']);
  const ran = await runRdb([
    ...['merge', '-o', file('joined.rdb'), '--on-conflict', 'first', '--conflicts', file('conflicts.jsonl')],
    ...[file('prefixes.rdb'), file('prefixes.rdb')],
  ]);
  expect(ran.status).toBe(0);
  expect(readFileSync(file('conflicts.jsonl'), 'utf8').trim().split('\n')).toHaveLength(4);
});
