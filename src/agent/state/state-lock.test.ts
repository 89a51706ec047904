import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runningAgent, takeLock } from './state-lock.ts';

let folder = '';
let record = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hf-lock-'));
  record = path.join(folder, 'agent.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const dead = `${JSON.stringify({ pid: 2 ** 22 + 1, startTime: '1' })}\n`;

test('the state directory belongs to one agent until it gives it back', async () => {
  const release = await takeLock(record);
  expect((await runningAgent(record))?.pid).toBe(process.pid);
  await expect(takeLock(record)).rejects.toMatchObject({ code: 'ALREADY_RUNS' });
  await release();
  expect(readdirSync(folder)).toEqual([]);
  await (await takeLock(record))();
});

test.each([
  ['a dead agent', dead],
  ['a crash that cut it short', '{"pid":'],
])('the record of %s is replaced', async (_whose, text) => {
  writeFileSync(record, text);
  const release = await takeLock(record);
  expect(JSON.parse(readFileSync(record, 'utf8'))).toMatchObject({ pid: process.pid });
  await release();
  expect(existsSync(record)).toBe(false);
});

test('of several that start at once over a dead one’s record exactly one gets it', async () => {
  for (let round = 0; round < 30; round++) {
    writeFileSync(record, dead);
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(record)));
    const winners = results.filter((result) => result.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    await winners[0]?.value();
  }
});
