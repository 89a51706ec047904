import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { RedisRefused, RedisUnreachable } from '../../redis/errors.ts';
import { statePaths } from '../state/paths.ts';
import { Unit } from '../units/unit.ts';
import { type Stoppable, stopMember } from './bring-down.ts';

let folder = '';
let unit: Unit;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'hf-down-'));
  const paths = { ...statePaths(folder).member('redis-1'), record: path.join(folder, 'process.json') };
  unit = new Unit('redis-1', paths, systemClock);
  const logFile = path.join(folder, 'log');
  await unit.start({ program: '/bin/sleep', args: ['60'], cwd: folder, logFile });
});
afterEach(() => {
  unit.process.signal('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** A member with an AOF that answers, or throws, as it is told; SHUTDOWN ends it. */
function member(answer: (command: string) => Promise<unknown>): Stoppable & { asked: string[] } {
  const asked: string[] = [];
  const ask = async (command: string) => {
    asked.push(command);
    return answer(command);
  };
  const client = {
    getConfig: async () => {
      await ask('CONFIG');
      return { appendonly: 'yes', save: '' };
    },
    setConfig: async () => {},
    connection: { call: (command: string) => ask(command) },
  };
  return { unit, watch: { client }, asked };
}

const spec = { redis: { persistence: 'aof-everysec' as const } };
const lines: string[] = [];
const report = (line: string) => lines.push(line);
const nobodyListens = () => Promise.reject(RedisUnreachable('nobody listens there yet'));

test('a member is asked to shut down, and the broken connection is no error', async () => {
  const one = member(async (command) => {
    if (command !== 'SHUTDOWN') return undefined;
    unit.process.signal('SIGKILL');
    throw RedisUnreachable('the connection closed');
  });
  await stopMember({ spec }, one, report);
  expect(one.asked).toEqual(['CONFIG', 'SHUTDOWN']);
  expect(unit.process.running).toBe(false);
});

test('one that was just started and does not listen yet is stopped by a signal, at once', async () => {
  const one = member(nobodyListens);
  await stopMember({ spec }, one, report);
  expect(one.asked).toEqual(['CONFIG']);
  expect(unit.process.running).toBe(false);
  expect(lines.at(-1)).toContain('redis-1 stopped');
});

test('one that never heard it, because the connection was that of the one before, is stopped by a signal', async () => {
  const one = member(async (command) => {
    if (command === 'SHUTDOWN') throw RedisUnreachable('the connection closed');
  });
  await stopMember({ spec }, one, report);
  expect(one.asked).toEqual(['CONFIG', 'SHUTDOWN']);
  expect(unit.process.running).toBe(false);
});

test('one that writes its first AOF is asked again until it has', async () => {
  let refusals = 0;
  const one = member(async (command) => {
    if (command === 'INFO') return 'aof_rewrite_in_progress:1\r\n';
    if (command !== 'SHUTDOWN') return undefined;
    refusals += 1;
    if (refusals < 8) throw RedisRefused('ERR Errors trying to SHUTDOWN. Check logs.');
    unit.process.signal('SIGKILL');
    throw RedisUnreachable('the connection closed');
  });
  await stopMember({ spec }, one, report);
  expect(refusals).toBe(8);
  expect(unit.process.running).toBe(false);
});

test('one that refuses to shut down, as in a script, is stopped by a signal', async () => {
  const one = member(() => Promise.reject(RedisRefused('BUSY Redis is busy running a script')));
  await stopMember({ spec }, one, report);
  expect(one.asked).toEqual(['CONFIG', 'SHUTDOWN']);
  expect(unit.process.running).toBe(false);
});
