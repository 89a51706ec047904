import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { aofParts, dataFiles } from './data-files.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'holdfast-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(['..', '.', '""', '../..', '/'])('%s in redis.conf is the name of no file', (name) => {
  const conf = ['dbfilename', 'appenddirname', 'appendfilename'].map((each) => `${each} ${name}`).join('\n');
  expect(dataFiles(folder, conf)).toEqual(dataFiles(folder, ''));
});

test('what a manifest lists lies in the folder of the parts', async () => {
  const files = dataFiles(folder, '');
  mkdirSync(files.aofFolder, { recursive: true });
  const names = ['..', '../x', 'base.rdb'];
  writeFileSync(files.aofManifest, names.map((name) => `file ${name} seq 1 type b\n`).join(''));
  expect(await aofParts(files)).toEqual(['x', 'base.rdb'].map((name) => path.join(files.aofFolder, name)));
});
