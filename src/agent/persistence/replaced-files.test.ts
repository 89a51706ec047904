import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeRdb } from '../../../test/support/rdb-files.ts';
import { countKeys } from './count-keys.ts';
import { type DataFiles, dataFiles, rdbStamp } from './data-files.ts';
import { forgetKeptRdb, keepRdb, putRdbBack } from './replaced-files.ts';

let folder = '';
let files: DataFiles;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'holdfast-replaced-'));
  files = dataFiles(folder, '');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** As a server does it. */
function save(text: string): void {
  writeFileSync(`${files.rdb}.temp`, text);
  renameSync(`${files.rdb}.temp`, files.rdb);
}

test('an RDB that is not whole makes way for the one of before, which is the same file as it was', async () => {
  save('old');
  const stamp = await rdbStamp(files);
  await keepRdb(files);
  save('new, and not whole');
  expect(await putRdbBack(files)).toBe(true);
  expect(readFileSync(files.rdb, 'utf8')).toBe('old');
  expect(await rdbStamp(files)).toBe(stamp);
  expect(await putRdbBack(files)).toBe(false);
});

test('a change that was cut off and is taken up again keeps what was there before it began', async () => {
  save('old');
  await keepRdb(files);
  save('new, and nobody knows whether it is whole');
  await keepRdb(files);
  save('newer');
  await putRdbBack(files);
  expect(readFileSync(files.rdb, 'utf8')).toBe('old');
});

test('nothing is kept of what was not there, or is not needed any more', async () => {
  await keepRdb(files);
  expect(await putRdbBack(files)).toBe(false);
  save('old');
  await keepRdb(files);
  await forgetKeptRdb(files);
  await forgetKeptRdb(files);
  expect(existsSync(`${files.rdb}.before-change`)).toBe(false);
});

test('a file that was written is read to its end; one of commands has no keys to count', async () => {
  const bytes = await makeRdb([
    { key: 'a', value: '1' },
    { key: 'b', value: '2' },
  ]);
  writeFileSync(files.rdb, bytes);
  expect(await countKeys(files.rdb)).toBe(2);
  writeFileSync(files.rdb, '*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n');
  expect(await countKeys(files.rdb)).toBeNull();
  writeFileSync(files.rdb, bytes.subarray(0, -9));
  await expect(countKeys(files.rdb)).rejects.toMatchObject({ code: 'RDB_TRUNCATED' });
});
