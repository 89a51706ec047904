import { expect, test } from 'vitest';
import { parseLog } from './timeline.ts';

const kinds = (kind: 'member' | 'sentinel' | 'gate' | 'events', lines: string[]) =>
  parseLog({ process: 'x', kind }, lines.join('\n')).map((entry) => `${entry.source} ${entry.kind}`);

test('a server’s promotion, of Redis and of Valkey, with its milliseconds', () => {
  const line = '12:M 21 Nov 2026 11:40:21.123 * MASTER MODE enabled (user request from ...)';
  const [entry] = parseLog({ process: 'redis-2', kind: 'member' }, line);
  expect(entry).toMatchObject({ source: 'redis-2', kind: 'promoted' });
  expect(new Date(entry?.atMs ?? 0).getMilliseconds()).toBe(123);
  expect(
    kinds('member', [line.replace('MASTER', 'PRIMARY'), '12:S 21 Nov 2026 11:40:21.123 * Ready']),
  ).toEqual(['x promoted']);
});

test('of a Sentinel, what belongs to a failover of the primary', () => {
  const said = (text: string) => `7:X 21 Nov 2026 11:40:21.123 # ${text}`;
  const lines = [
    said('+sdown slave 127.0.0.1:1 127.0.0.1 1 @ q 127.0.0.1 2'),
    said('+sdown master q 127.0.0.1 2'),
    said('+switch-master q 127.0.0.1 2 127.0.0.1 1'),
    said('-failover-abort-no-good-slave master q 127.0.0.1 2'),
    said('+reboot master q'),
    'half a li',
  ];
  expect(kinds('sentinel', lines)).toEqual([
    'x +sdown',
    'x +switch-master',
    'x -failover-abort-no-good-slave',
  ]);
});

test('of a gate, when it held and when it went on; of an agent, every event', () => {
  const at = '2026-11-21T11:47:36.655Z';
  const gate = [`${at} gate-1 holding writes: a Sentinel selected redis-2`, `${at} gate-1 open after 12 ms`];
  expect(kinds('gate', [...gate, `${at} gate-1 listening on 1`])).toEqual(['x holding', 'x open']);
  const event = JSON.stringify({ seq: 1, at, kind: 'exited', subject: 'redis-1', text: 'redis-1 died' });
  expect(kinds('events', [event, '{"seq":'])).toEqual(['agent on x exited']);
});

test('of standalone servers the agent that was elected tells who was promoted', () => {
  const event = (kind: string) =>
    JSON.stringify({ at: '2026-11-21T11:40:21.123Z', kind, subject: 'redis-2', text: 'so it is' });
  const found = parseLog(
    { process: 'a', kind: 'elections' },
    [event('election'), event('promoted')].join('\n'),
  );
  expect(found.map(({ source, kind }) => `${source} ${kind}`)).toEqual([
    'agent on a election',
    'redis-2 promoted',
  ]);
});
