import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { waitFor } from '../../base/retry.ts';
import { RedisRefused, RedisUnreachable } from '../../redis/errors.ts';
import { ReplyError } from '../../resp/read.ts';
import { statePaths } from '../state/paths.ts';
import { Unit } from '../units/unit.ts';
import { allOrNone, type Stoppable, stopGate, stopMember } from './bring-down.ts';

let folder = '';
let unit: Unit;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'hf-down-'));
  const paths = { ...statePaths(folder).member('redis-1'), record: path.join(folder, 'process.json') };
  unit = new Unit('redis-1', paths, systemClock);
  const logFile = path.join(folder, 'log');
  mkdirSync(path.dirname(paths.log), { recursive: true });
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

test('one that can not save is not waited for, and what its log says is told', async () => {
  appendFileSync(
    unit.paths.log,
    '7:M 01 Jan 2026 00:00:00.000 # Write error saving DB on disk: No space left on device\n',
  );
  const refused = 'ERR Errors trying to SHUTDOWN. Check logs.';
  const one = member((command) =>
    command === 'SHUTDOWN' ? Promise.reject(RedisRefused(refused)) : Promise.resolve(''),
  );
  await expect(stopMember({ spec }, one, report)).rejects.toMatchObject({
    code: 'PROCESS_WOULD_NOT_STOP',
    message: expect.stringMatching(/redis-1 .* could not save its data: .*No space left on device/),
  });
  expect(unit.process.running).toBe(true);
});

test('one that does not let us in is stopped by a signal', async () => {
  const said = 'WRONGPASS invalid username-password pair';
  const one = member(() => Promise.reject(RedisRefused(said, { cause: new ReplyError(said) })));
  await stopMember({ spec }, one, report);
  expect(one.asked).toEqual(['CONFIG']);
  expect(unit.process.running).toBe(false);
});

/** A process that does not heed SIGTERM. */
async function stubborn(id: string): Promise<Unit> {
  const paths = { ...statePaths(folder).member(id), record: path.join(folder, `${id}.json`) };
  const one = new Unit(id, paths, systemClock);
  const logFile = path.join(folder, `${id}.log`);
  const script = "process.on('SIGTERM', () => {}); console.log('heeds nothing'); setInterval(() => {}, 1e6)";
  await one.start({ program: process.execPath, args: ['-e', script], cwd: folder, logFile });
  const deaf = () => existsSync(logFile) && readFileSync(logFile, 'utf8').includes('heeds nothing');
  await waitFor(deaf, { what: 'its handler', withinMs: 10_000 });
  return one;
}

test('a stop that failed leaves everything meant to run that was: what ended counts as dead, and is started again', async () => {
  const saving = await stubborn('redis-2');
  const never = new Unit('redis-3', statePaths(folder).member('redis-3'), systemClock);
  const down = allOrNone([unit, saving, never], async () => {
    await unit.stop(10_000);
    await saving.stop(50);
  });
  await expect(down).rejects.toMatchObject({ code: 'PROCESS_WOULD_NOT_STOP' });
  expect(unit.view).toMatchObject({ running: false, diedAtMs: expect.any(Number) });
  expect(saving.view.running).toBe(true);
  expect([unit, saving, never].map(({ wanted }) => wanted)).toEqual([true, true, false]);
  saving.process.signal('SIGKILL');
});

test('a gate that does not end in its time is killed, and is not meant to run', async () => {
  const gate = await stubborn('gate-1');
  await stopGate(gate, { holdMs: -3900 }, report);
  expect(gate.process.running).toBe(false);
  expect(gate.view).toMatchObject({ running: false, diedAtMs: null });
  expect(lines.at(-1)).toContain('gate-1 was killed');
});
