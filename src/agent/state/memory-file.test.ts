import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nothingKnown } from '../observe/member-watch.ts';
import { isDataStale, lossText, MemoryFile } from './memory-file.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-memory-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const clock = { wallMs: () => 1000, monotonicMs: () => 0 };
const kept = { role: 'replica', primarySinceMs: null, offset: 7, replId: 'a', keys: 3, seenAtMs: 9 };
const file = () => path.join(folder, 'memory.json');

async function loaded(text: string | undefined): Promise<MemoryFile> {
  if (text !== undefined) writeFileSync(file(), text);
  const memory = new MemoryFile(file(), clock);
  await memory.load();
  return memory;
}

test('without a file nothing is remembered, and nothing is wrong', async () => {
  const { memory, damage } = await loaded(undefined);
  expect({ memory, damage }).toEqual({ memory: null, damage: null });
});

test('a file of before a figure was kept is read', async () => {
  const { memory, damage } = await loaded(JSON.stringify(kept));
  expect({ memory, damage }).toEqual({
    memory: { ...kept, unsavedChanges: 0, storeFails: false, lost: null },
    damage: null,
  });
});

test('that the AOF can’t be written is kept at once, also when the disk that it is kept on is full', async () => {
  const memory = await loaded(undefined);
  const seen = {
    ...nothingKnown,
    ...{ reachable: true, role: 'primary' as const, keys: 3, offset: 7, replId: 'a' },
  };
  await memory.remember(seen);
  expect(memory.memory?.storeFails).toBe(false);
  rmSync(folder, { recursive: true });
  writeFileSync(folder, '');
  await expect(memory.remember({ ...seen, storeFails: true })).rejects.toThrow();
  expect(isDataStale(memory, { hasData: true, writtenAtMs: 2000 })).toBe(true);
});

test.each(['', '{', 'null', '{}', JSON.stringify({ ...kept, keys: 'many' })])(
  'a file that holds %j is named, and nothing of it is believed',
  async (text) => {
    const { memory, damage } = await loaded(text);
    expect(memory).toBeNull();
    expect(damage).toMatchObject({
      code: 'STATE_DIR_UNUSABLE',
      message: expect.stringContaining(file()),
      hint: expect.stringContaining('remove it'),
    });
  },
);

test('an idle member is written down seldom, one that takes writes every two seconds, and a change of what it is at once', async () => {
  let nowMs = 0;
  const memory = new MemoryFile(file(), { wallMs: () => nowMs, monotonicMs: () => nowMs });
  const seen = { ...nothingKnown, ...{ reachable: true, role: 'primary' as const, keys: 3, offset: 7 } };
  await memory.remember(seen);
  const writtenAt = async (afterMs: number, change: object) => {
    nowMs += afterMs;
    await memory.remember({ ...seen, ...change });
    return memory.memory?.seenAtMs === nowMs;
  };
  // Sentinels' hellos go through the stream of a deployment that nobody uses.
  expect(await writtenAt(5000, { offset: 300 })).toBe(false);
  expect(await writtenAt(10_000, { offset: 900 })).toBe(true);
  expect(await writtenAt(2000, { offset: 950, keys: 4 })).toBe(true);
  expect(await writtenAt(2000, { offset: 990, keys: 4, unsavedChanges: 1 })).toBe(true);
  expect(await writtenAt(2000, { offset: 999, keys: 4, unsavedChanges: 2 })).toBe(true);
  expect(await writtenAt(1, { offset: 999, keys: 0, unsavedChanges: 2 })).toBe(true);
});

test('what a member was started without is known until it is there again, or somebody says that it is known; also to the next agent', async () => {
  let nowMs = 0;
  const clockOf = { wallMs: () => nowMs, monotonicMs: () => nowMs };
  let memory = new MemoryFile(file(), clockOf);
  const holds = async (keys: number, role: 'primary' | 'replica' = 'primary') => {
    nowMs += 20_000;
    await memory.remember({ ...nothingKnown, reachable: true, linkUp: true, role, keys });
    return memory.memory?.lost ?? null;
  };
  expect(memory.noteLoss()).toBeNull();
  await holds(300);
  const lost = memory.noteLoss();
  expect(lost).toEqual({ keys: 300, seenAtMs: 20_000 });
  expect(lossText('redis-1', lost!)).toContain('it held 300 keys at 1970-01-01T00:00:20.000Z');
  expect(await holds(0)).toEqual(lost);
  memory = new MemoryFile(file(), clockOf);
  await memory.load();
  // The little that has come since is not what was lost; and when that is lost too, the first loss is the one to know of.
  expect(await holds(2)).toEqual(lost);
  expect(memory.noteLoss()).toEqual(lost);
  expect(await holds(300)).toBeNull();
  memory.noteLoss();
  expect(await holds(10)).not.toBeNull();
  memory.acceptLoss();
  expect(await holds(10)).toBeNull();
  memory.noteLoss();
  expect(await holds(9, 'replica')).toBeNull();
});

test('what could not be written is written at the next look, and another history at once', async () => {
  let nowMs = 0;
  const memory = new MemoryFile(file(), { wallMs: () => nowMs, monotonicMs: () => nowMs });
  const seen = {
    ...nothingKnown,
    reachable: true,
    role: 'primary' as const,
    keys: 3,
    offset: 7,
    replId: 'a',
  };
  mkdirSync(file());
  await expect(memory.remember(seen)).rejects.toThrow();
  rmSync(file(), { recursive: true });
  await memory.remember(seen);
  expect(JSON.parse(readFileSync(file(), 'utf8'))).toMatchObject({ keys: 3, replId: 'a' });
  nowMs = 1;
  await memory.remember({ ...seen, replId: 'b' });
  expect(JSON.parse(readFileSync(file(), 'utf8'))).toMatchObject({ replId: 'b' });
});
