import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { waitFor } from '../base/retry.ts';
import { parseStat, readStat, StatReader } from './stat.ts';

const fields = (state: string, utime: number, stime: number) =>
  `${state} 1 1 1 0 -1 4194560 1 0 0 0 ${utime} ${stime} 0 0 20 0 1 0 777 1000 200`;

test('the state, the processor time and the start are read, whatever the name holds', () => {
  const meant = { state: 'S', cpuMs: 70, startTime: '777' };
  expect(parseStat(`42 (redis-server) ${fields('S', 5, 2)}\n`)).toEqual(meant);
  expect(parseStat(`42 (a) R 9 ) b) ${fields('S', 5, 2)}\n`)).toEqual(meant);
});

test.each(['', '42 (x', '42 (x) S 1 2', 'no such file'])('%j says nothing', (text) => {
  expect(parseStat(text)).toBeUndefined();
});

test.runIf(process.platform === 'linux')('a process that was stopped is seen as such', async () => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const pid = child.pid as number;
  child.kill('SIGSTOP');
  await waitFor(() => readStat(pid)?.state === 'T', { what: 'it to be stopped', withinMs: 5000 });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(readStat(pid)).toBeUndefined();
});

test.runIf(process.platform === 'linux')(
  'a reader says of its process what is so now, and nothing of another one',
  async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const pid = child.pid as number;
    const reader = new StatReader(pid);
    await waitFor(() => reader.read()?.state === 'S', { what: 'it to have begun to sleep', withinMs: 5000 });
    const before = reader.read();
    expect(before).toEqual(readStat(pid));
    child.kill('SIGSTOP');
    await waitFor(() => reader.read()?.state === 'T', { what: 'it to be stopped', withinMs: 5000 });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(reader.read()).toBeUndefined();
    reader.close();
  },
);
