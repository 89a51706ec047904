import { expect, test } from 'vitest';
import { CommandTable } from '../commands/command-table.ts';
import type { GateStatus } from './control-api.ts';
import { Counters } from './counters.ts';
import { mergeStatuses, ownProcess } from './merged-status.ts';

function count(counters: Counters, text: string): void {
  const buf = Buffer.from(`+before\r\n${text}`);
  counters.error(buf, 9, buf.length);
}

test('errors are counted by their first word, up to a number of kinds', () => {
  const counters = new Counters();
  count(counters, '-WRONGTYPE Operation against a key\r\n');
  count(counters, '-ERR a\r\n');
  count(counters, '-ERR b\r\n');
  count(counters, '-ALONE\r\n');
  count(counters, `-${'x'.repeat(100)}\r\n`);
  expect(counters.read().errors).toEqual({ WRONGTYPE: 1, ERR: 2, ALONE: 1, ['x'.repeat(32)]: 1 });
  for (let index = 0; index < 100; index++) count(counters, `-KIND${index} \r\n`);
  const { errors } = counters.read();
  expect(Object.keys(errors)).toHaveLength(65);
  expect(errors).toMatchObject({ OTHER: 40, ERR: 2 });
});

test('commands are counted by name and class, and stay counted when the table is loaded', () => {
  const table = new CommandTable();
  const call = (name: string) => {
    const command = table.find(Buffer.from(name), 0, name.length);
    command.calls++;
  };
  call('MULTI');
  call('get');
  call('newer');
  table.load([
    ['get', 2, ['readonly']],
    ['set', -3, ['write']],
    ['config', -2, [], 0, 0, 0, [], [], [], [['config|get', -3, ['admin']]]],
  ]);
  call('MULTI');
  call('GET');
  call('set');
  const sub = table.get('config')?.subcommands?.get('get');
  if (sub) sub.calls += 3;
  const { commands, classes } = table.counted();
  expect(commands).toEqual({ unknown: 1, multi: 2, get: 2, set: 1, 'config|get': 3 });
  expect(classes).toMatchObject({ read: 2, write: 2, transaction: 2, administration: 3, blocking: 0 });
});

test('the status of several workers is their sum, and the worst state of them', () => {
  const status = (state: GateStatus['state'], commands: number): GateStatus => {
    const counters = new Counters();
    counters.executed(commands);
    counters.switchedTimes(2);
    counters.answered(1, commands, false);
    counters.close('protocol');
    count(counters, '-ERR\r\n');
    return {
      id: 'gate-1/1',
      pid: 1,
      state,
      reason: null,
      mirrors: {},
      primary: null,
      primarySince: null,
      clients: 3,
      held: 1,
      heldLately: 2,
      sentinelsSeen: 3,
      predecessor: null,
      sentinelsNeeded: 2,
      commandsKnown: true,
      connections: { shared: 1, private: 2 },
      routes: {
        carts: { requests: commands, held: 1, state, reason: null, faults: { delayed: 1, failed: 2 } },
      } as GateStatus['routes'],
      ...new CommandTable().counted(),
      ...counters.read(),
      process: { rssBytes: 100, cpuMs: 10, loopActiveMs: 1, loopIdleMs: 2, upMs: 5 },
      workers: { wanted: 1, running: 1, restarts: 0 },
    };
  };
  const own = { ...ownProcess(), rssBytes: 50, cpuMs: 5, upMs: 7 };
  const merged = mergeStatuses([status('open', 4), status('holding', 6)], { id: 'gate-1', process: own });
  expect(merged).toMatchObject({
    id: 'gate-1',
    pid: process.pid,
    state: 'holding',
    clients: 6,
    held: 2,
    heldLately: 4,
    commandsKnown: true,
    connections: { shared: 2, private: 4 },
    routes: { carts: { requests: 10, held: 2, state: 'holding', faults: { delayed: 2, failed: 4 } } },
    counters: { commands: 10, switches: 2 },
    errors: { ERR: 2 },
    closed: { protocol: 2 },
    latency: { read: { count: 10 }, write: { count: 0 } },
    process: { rssBytes: 250, cpuMs: 25, loopActiveMs: 2, loopIdleMs: 4, upMs: 7 },
  });
});
