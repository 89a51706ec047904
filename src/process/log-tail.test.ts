import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogTail } from './log-tail.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hf-tail-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the last lines, then what comes, in whole lines, over a rotation', () => {
  const file = path.join(folder, 'log');
  const tail = new LogTail(file);
  expect(tail.last(2)).toEqual([]);
  writeFileSync(file, 'one\ntwo\nthree\nfo');
  expect(tail.last(2)).toEqual(['two', 'three']);
  expect(tail.more()).toEqual([]);
  appendFileSync(file, 'ur\nfive\n');
  expect(tail.more()).toEqual(['four', 'five']);
  appendFileSync(file, 'six\n');
  renameSync(file, `${file}.1`);
  writeFileSync(file, 'seven\n');
  expect(tail.more()).toEqual(['six', 'seven']);
  expect(tail.more()).toEqual([]);
  tail.close();
});

test('a log that appears later is read from its beginning', () => {
  const file = path.join(folder, 'log');
  const tail = new LogTail(file);
  expect(tail.last(5)).toEqual([]);
  expect(tail.more()).toEqual([]);
  writeFileSync(file, 'first\n');
  expect(tail.more()).toEqual(['first']);
  tail.close();
});

test('of a long log only its end is looked through, and no half line is shown', () => {
  const file = path.join(folder, 'log');
  writeFileSync(file, Array.from({ length: 500_000 }, (_, index) => `line ${index}\n`).join(''));
  const tail = new LogTail(file);
  const lines = tail.last(1_000_000);
  expect(lines.at(-1)).toBe('line 499999');
  expect(lines.every((line) => /^line \d+$/.test(line))).toBe(true);
  tail.close();
});
