import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRecord, writeRecord } from './agent-record.ts';
import { runningAgent, takeLock } from './state-lock.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hf-record-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a record is read as it was written, and is nobody else’s to write', async () => {
  const file = path.join(folder, 'agent.json');
  expect(await readRecord(file)).toBeUndefined();
  await writeRecord(file, '{"pid":1}\n');
  expect(await readRecord(file)).toBe('{"pid":1}\n');
  await expect(writeRecord(file, 'another')).rejects.toMatchObject({ code: 'EEXIST' });
});

test.skipIf(process.getuid?.() !== 0)('on a full disk one agent has the state directory, too', async () => {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k,mode=700', 'tmpfs', folder]);
  expect(mounted.status).toBe(0);
  try {
    spawnSync('dd', ['if=/dev/zero', `of=${path.join(folder, 'filler')}`]);
    const record = path.join(folder, 'agent.json');
    for (let round = 0; round < 2; round++) {
      const tries = await Promise.allSettled(Array.from({ length: 4 }, () => takeLock(record)));
      const winners = tries.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      expect(winners).toHaveLength(1);
      expect((await runningAgent(record))?.pid).toBe(process.pid);
      await winners[0]?.();
      expect(readdirSync(folder)).toEqual(['filler']);
    }
  } finally {
    spawnSync('umount', ['-l', folder]);
  }
});

test.skipIf(process.getuid?.() !== 0)('the record of a dead agent is replaced on a full disk', async () => {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k,mode=700', 'tmpfs', folder]);
  expect(mounted.status).toBe(0);
  try {
    const record = path.join(folder, 'agent.json');
    await writeRecord(record, `${JSON.stringify({ pid: 2 ** 22 + 1, startTime: '1' })}\n`);
    spawnSync('dd', ['if=/dev/zero', `of=${path.join(folder, 'filler')}`]);
    const release = await takeLock(record);
    expect((await runningAgent(record))?.pid).toBe(process.pid);
    await release();
    expect(readdirSync(folder)).toEqual(['filler']);
  } finally {
    spawnSync('umount', ['-l', folder]);
  }
});
