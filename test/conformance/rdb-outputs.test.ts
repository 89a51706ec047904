/** What a verb writes appears whole or not at all, wherever it is to go; what was there before stays until then. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { holdfastMain, runProgram, runRdb } from '../support/rdb-cli.ts';
import { makeRdb } from '../support/rdb-files.ts';

let folder = '';
let source = '';
const at = (name: string) => path.join(folder, name);
const parts = 5;

beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'holdfast-rdb-outputs-'));
  source = at('source.rdb');
  const entries = Array.from({ length: 500 }, (_, index) => ({
    key: `p${index % parts}:${index}`,
    value: 'x',
  }));
  writeFileSync(source, await makeRdb(entries));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a pipe is written to, and stays one', async () => {
  await runProgram('mkfifo', [at('pipe')], Buffer.alloc(0));
  const reader = runProgram('cat', [at('pipe')], Buffer.alloc(0));
  expect((await runRdb(['filter', '-o', at('pipe'), source])).status).toBe(0);
  const { stdout } = await reader;
  expect((await runRdb(['verify', '-'], stdout)).status).toBe(0);
  expect(lstatSync(at('pipe')).isFIFO()).toBe(true);
});

test('what a link leads to is replaced, and not the link', async () => {
  writeFileSync(at('real.rdb'), 'old');
  symlinkSync('real.rdb', at('link.rdb'));
  expect((await runRdb(['filter', '-o', at('link.rdb'), source])).status).toBe(0);
  expect(lstatSync(at('link.rdb')).isSymbolicLink()).toBe(true);
  expect((await runRdb(['verify', at('real.rdb')])).status).toBe(0);
});

test('a folder, or nothing, is no place for a file', async () => {
  mkdirSync(at('there'));
  for (const name of [at('there'), '']) {
    const ran = await runRdb(['filter', '-o', name, source]);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain('RDB_UNWRITABLE');
  }
  const split = await runRdb(['split', '--by', 'db', '-o', source, source]);
  expect([split.status, split.stderr]).toEqual([1, expect.stringContaining('RDB_UNWRITABLE')]);
  const long = `${'n'.repeat(250)}.rdb`;
  expect((await runRdb(['filter', '-o', at(long), source])).status).toBe(0);
  rmSync(at(long));
  expect(readdirSync(folder).sort()).toEqual(['source.rdb', 'there']);
});

test('a list of conflicts that can not be written is an error, and nothing is left', async () => {
  const merge = (...more: string[]) =>
    runRdb(['merge', '--on-conflict', 'first', '-o', at('out.rdb'), ...more, source, source]);
  for (const place of ['/dev/full', at('missing/conflicts'), folder]) {
    const ran = await merge('--conflicts', place);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toMatch(/RDB_UNWRITABLE/);
    expect(readdirSync(folder)).toEqual(['source.rdb']);
  }
  expect((await merge('--conflicts', at('out.rdb'))).stderr).toMatch(
    /--conflicts names the file that -o names/,
  );
  symlinkSync('source.rdb', at('link'));
  for (const input of ['source.rdb', 'link']) {
    const before = readFileSync(source);
    const ran = await merge('--conflicts', at(input));
    expect(ran.status).toBe(2);
    expect(ran.stderr).toMatch(/--conflicts names .*source\.rdb, which is read/);
    expect(readFileSync(source).equals(before)).toBe(true);
  }
  expect((await merge('--conflicts', at('list'))).status).toBe(0);
  expect(readFileSync(at('list'), 'utf8').trim().split('\n')).toHaveLength(500);
});

test('a split that fails leaves the parts of an earlier one', async () => {
  const into = at('parts');
  mkdirSync(path.join(into, 'source.prefix-p3.rdb'), { recursive: true });
  writeFileSync(path.join(into, 'source.prefix-p0.rdb'), 'old');
  const ran = await runRdb(['split', '--by', 'prefix', '-o', into, source]);
  expect(ran.status).toBe(1);
  expect(ran.stderr).toMatch(/source\.prefix-p3\.rdb is a folder/);
  expect(readdirSync(into).sort()).toEqual(['source.prefix-p0.rdb', 'source.prefix-p3.rdb']);
  expect(readFileSync(path.join(into, 'source.prefix-p0.rdb'), 'utf8')).toBe('old');
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'nothing is left of a split that %s ends',
  async (signal) => {
    const into = at('new/parts');
    const split = spawn(process.execPath, [holdfastMain, 'rdb', 'split', '--by', 'prefix', '-o', into, '-'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    split.stdin.on('error', () => {});
    // The end never comes, so it waits with all parts open.
    const bytes = readFileSync(source);
    split.stdin.write(bytes.subarray(0, bytes.length - 20));
    const open = () => existsSync(into) && readdirSync(into).length === parts;
    await waitFor(async () => open(), { what: 'all parts to be open', withinMs: 60_000 });
    split.kill(signal);
    await once(split, 'close');
    expect(existsSync(at('new'))).toBe(false);
  },
);
