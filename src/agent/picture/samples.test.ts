import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { ApiView } from '../../api/view.ts';
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

test('figures are told as they were taken, and not with the noise of 32 bits', () => {
  const samples = new Samples(2, ['figure']);
  const figures = [0.42, 0.001, 18_420.5, 1.25e9, 2 ** 40, -3];
  for (const [at, figure] of figures.entries()) {
    samples.add(at + 1, { figure });
    expect(samples.read(at + 1, at + 1).columns.get('figure')).toEqual([figure]);
  }
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
  const history = new History({ seconds: `${file}-seconds`, minutes: file }, ['redis-1']);
  await history.load(0);
  const read = history.read({ step: '1m', fromMs: 0, toMs: Number.POSITIVE_INFINITY });
  expect(read.at).toEqual([60_000, 120_000]);
  expect(read.deployment.held).toEqual([3, null]);
  expect(read.members['redis-1']?.keys).toEqual([8, null]);
});

test('seconds of an agent before are there again, but for the last few when it was killed', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hf-history-'));
  const files = { seconds: path.join(folder, 'seconds'), minutes: path.join(folder, 'minutes') };
  const viewOf = (held: number) =>
    ({
      clients: { commandsPerSecond: 1 / 3, errorsPerSecond: 0, connected: 1, held, latency: {} },
      gates: [],
      members: [{ id: 'redis-1', lagBytes: null, memory: null, commandsPerSecond: null, keys: held }],
    }) as unknown as ApiView;
  const next = async (nowMs: number) => {
    const history = new History(files, ['redis-1']);
    await history.load(nowMs);
    const { at, deployment, members } = history.read({ step: '1s', fromMs: 0, toMs: Infinity });
    return { history, at, held: deployment.held, members };
  };
  const startMs = 1_700_000_000_000;
  const killed = await next(startMs);
  for (let second = 0; second < 25; second += 1) killed.history.add(startMs + second * 1000, viewOf(second));
  const second = await next(startMs + 30_000);
  expect(second.held).toEqual(Array.from({ length: 20 }, (_, index) => index));
  expect(second.at[0]).toBe(startMs);
  expect(second.members['redis-1']?.lagBytes[0]).toBeNull();
  second.history.add(startMs + 31_000, viewOf(99));
  second.history.close();
  expect((await next(startMs + 40_000)).held.at(-1)).toBe(99);
  // What is older than an hour is no second of the last hour.
  expect((await next(startMs + 3_610_000)).at[0]).toBe(startMs + 10_000);
  // However long it runs, there is a bound.
  const third = await next(startMs + 40_000);
  for (let each = 0; each < 9000; each += 1) third.history.add(startMs + 41_000 + each * 1000, viewOf(each));
  const nowMs = startMs + 41_000 + 9_000_000;
  expect((await next(nowMs)).held.length).toBe(3600);
  const lines = readdirSync(folder).filter((name) => name.startsWith('seconds'));
  const counts = lines.map((name) => readFileSync(path.join(folder, name), 'utf8').split('\n').length);
  expect(Math.max(...counts)).toBeLessThanOrEqual(3600 + 11);
});
