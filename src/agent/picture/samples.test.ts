import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { History } from './history.ts';
import { Minute } from './minute.ts';
import { Samples } from './samples.ts';

test('the last samples are kept, oldest first, and what was not known is null', () => {
  const samples = new Samples(3, ['a', 'b']);
  for (let at = 1; at <= 5; at++) samples.add(at, { a: at * 10, b: at === 4 ? null : 0 });
  samples.add(5, { a: 999 });
  samples.add(2, { a: 999 });
  const { at, columns } = samples.read(0, Number.POSITIVE_INFINITY);
  expect(at).toEqual([3, 4, 5]);
  expect(columns.get('a')).toEqual([30, 40, 50]);
  expect(columns.get('b')).toEqual([0, null, 0]);
  expect(samples.read(4, 4).at).toEqual([4]);
});

test('a minute is the mean of its seconds, or their peak', () => {
  const minute = new Minute((name) => name === 'held');
  expect(minute.add(60_000, { rate: 1, held: 5 })).toBeNull();
  expect(minute.add(61_000, { rate: 3, held: 2 })).toBeNull();
  expect(minute.add(62_000, { rate: null, held: null })).toBeNull();
  expect(minute.add(120_500, { rate: 7, held: 0 })).toEqual({ atMs: 60_000, figures: { rate: 2, held: 5 } });
});

test('minutes of an agent before are there again, whatever else the file holds', async () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'hf-history-')), 'history.jsonl');
  const lines = [
    '{"at":60000,"held":3,"redis-1 keys":8}',
    'rubbish',
    '[]',
    '{"held":1}',
    '{"at":120000,"held":"x"}',
    '{"at":18',
  ];
  writeFileSync(file, lines.join('\n'));
  const history = new History(file, ['redis-1']);
  await history.load();
  const read = history.read({ step: '1m', fromMs: 0, toMs: Number.POSITIVE_INFINITY });
  expect(read.at).toEqual([60_000, 120_000]);
  expect(read.deployment.held).toEqual([3, null]);
  expect(read.members['redis-1']?.keys).toEqual([8, null]);
});
