import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PauseFlag } from './pause-flag.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-pause-'));
  file = path.join(folder, 'flags.json');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function loaded(): Promise<PauseFlag> {
  const flag = new PauseFlag(file);
  await flag.load();
  return flag;
}

test('a pause outlives the agent that was told, and so does its end', async () => {
  const first = await loaded();
  expect(first.paused).toBe(false);
  expect(await first.set(true)).toBe(true);
  expect(await first.set(true)).toBe(false);
  const second = await loaded();
  expect(second.paused).toBe(true);
  await second.set(false);
  expect((await loaded()).paused).toBe(false);
});

test.each(['{ "paused": true }', '{"since":"today","paused":true}\n'])(
  'what counts is what the file means, however it is written: %s',
  async (text) => {
    await writeFile(file, text);
    expect((await loaded()).paused).toBe(true);
  },
);

test.each(['', '{"paused":"true"}', 'null', '{"paused":tr'])(
  'a file that says neither is refused: %s',
  async (text) => {
    await writeFile(file, text);
    await expect(loaded()).rejects.toMatchObject({ code: 'STATE_DIR_UNUSABLE' });
  },
);
