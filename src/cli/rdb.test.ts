import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { catchWords } from '../../test/support/caught-words.ts';
import { runProgram } from './program.ts';

const good = 'test/fixtures/rdb/hdt3213-cases/memory.rdb';
const words = catchWords();
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-rdb-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => expect(readdirSync(folder)).toEqual([]));

test.each([
  [['filter', 'OUT']],
  [['verify']],
  [['merge', '-o', 'OUT', '--on-conflict', 'perhaps', 'a', 'b']],
  [['filter', '-o', 'OUT', '--for', 'redis-1.0', 'GOOD']],
  [['filter', '-o', 'OUT', '--target-version', '99', 'GOOD']],
  [['filter', '-o', 'OUT', '--sample', '2', 'GOOD']],
  [['filter', '-o', 'OUT', '--sample', '', 'GOOD']],
  [['split', '-o', 'OUT', '--by', 'slot', '--slots', '0-100,50-60', 'GOOD']],
  [['merge', '-o', 'OUT', '-', '-']],
  [['filter', '-o', 'OUT', '--type', 'tree', 'GOOD']],
  [['split', '-o', 'OUT', '--by', 'colour', 'GOOD']],
  [['split', '-o', 'OUT', '--by', 'slot', '--slots', '5-1', 'GOOD']],
  [['merge', '-o', 'OUT', '--db', '0-1', 'GOOD', 'GOOD']],
])('%j is a wrong command, and writes nothing', async (args) => {
  const out = path.join(folder, 'out');
  const given = args.map((arg) => (arg === 'GOOD' ? good : arg === 'OUT' ? out : arg));
  expect(await runProgram(['rdb', ...given])).toBe(2);
  expect(words.said()).not.toBe('');
  expect(readdirSync(folder)).toEqual([]);
});
