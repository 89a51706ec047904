import { expect, test } from 'vitest';
import type { ApiEvent } from '../../../src/api/events.ts';
import { storiesOf } from './stories.ts';

/** @param lines `ms kind subject`, from some instant on. */
function events(...lines: string[]): ApiEvent[] {
  return lines.map((line, index) => {
    const [ms = '0', kind = '', subject = ''] = line.split(' ');
    const at = new Date(1_780_000_000_000 + Number(ms)).toISOString();
    return { seq: index + 1, at, kind, subject, text: line, host: 'local' };
  });
}

const crash = [
  '1000 exited redis-1',
  '1003 election test',
  '1012 promoted redis-2',
  '1014 primary redis-2',
  '1020 redirected redis-3',
  '1500 restart redis-1',
  '2600 replica-eligible redis-1',
];

test('a crash is a failover from the death on', () => {
  const [story, ...others] = storiesOf(events('0 ready test', ...crash));
  expect(others).toEqual([]);
  expect(story).toMatchObject({ kind: 'failover', from: 'redis-1', to: 'redis-2', tookMs: 12 });
  expect(story?.steps.map(({ ms }) => ms)).toEqual([0, 3, 12, 14, 20, 500, 1600]);
});

test('changes that follow each other within seconds are told apart, each with whom it was from', () => {
  const stories = storiesOf(
    events(
      ...['0 primary redis-1', '100000 asked test', '100040 primary redis-2', '100050 switchover redis-2'],
      ...['102800 asked test', '102840 primary redis-1', '102850 switchover redis-1'],
      ...['105000 asked test', '105010 election test', '105020 promoted redis-2', '105022 primary redis-2'],
      ...['105030 failover redis-2', '107900 replica-ineligible redis-2', '107960 primary redis-3'],
      ...['107970 switchover redis-3', '109000 asked test', '109900 restarted redis-1'],
    ),
  );
  expect(stories.map(({ kind, from, to }) => `${kind} ${from} ${to}`)).toEqual([
    'switchover redis-2 redis-3',
    'failover redis-1 redis-2',
    'switchover redis-2 redis-1',
    'switchover redis-1 redis-2',
  ]);
  expect(stories[0]?.steps.map(({ event }) => event.kind)).not.toContain('restarted');
});

test('a change that a restart of all members makes is told, and one that nobody waited for to be told', () => {
  const stories = storiesOf(
    events(
      ...['0 cold-start test', '10 primary redis-1', '100000 asked test', '102900 primary redis-3'],
      ...['200000 asked test', '200030 promoted redis-2', '200040 primary redis-2'],
      ...['300000 primary redis-2', '400000 down test', '500000 cold-start test', '500100 primary redis-1'],
    ),
  );
  expect(stories).toMatchObject([
    { kind: 'failover', from: 'redis-3', to: 'redis-2' },
    { kind: 'switchover', from: 'redis-1', to: 'redis-3' },
  ]);
  expect(stories).toHaveLength(2);
});

test('a start is no change of primary', () => {
  expect(storiesOf(events('0 first-start redis-1', '5 primary redis-1', '9 ready test'))).toEqual([]);
});

test('the first switchover after the first start says from whom, as the start named whom it began with', () => {
  const [story, ...others] = storiesOf(
    events(
      ...['0 first-start redis-1', '9 ready test', '90000 asked test'],
      ...['90040 primary redis-2', '90050 switchover redis-2'],
    ),
  );
  expect(others).toEqual([]);
  expect(story).toMatchObject({ kind: 'switchover', from: 'redis-1', to: 'redis-2' });
});

test('a switchover is one, though nothing came before it', () => {
  const [story] = storiesOf(events('0 primary redis-2', '9 switchover redis-2'));
  expect(story).toMatchObject({ kind: 'switchover', to: 'redis-2', tookMs: 0 });
});

test('two crashes, one soon after the other, are two stories, the newest first', () => {
  const again = [
    '8000 exited redis-2',
    '8002 election test',
    '8009 promoted redis-3',
    '8010 primary redis-3',
  ];
  const stories = storiesOf(events(...crash, ...again));
  expect(stories.map(({ from, to, tookMs }) => [from, to, tookMs])).toEqual([
    ['redis-2', 'redis-3', 9],
    ['redis-1', 'redis-2', 12],
  ]);
});

test('what the agents of several hosts noted is one story, and the same word of each is one step', () => {
  const all = events('0 exited redis-1', '9 promoted redis-2', '11 primary redis-2', '14 primary redis-2');
  all[2] = { ...all[2]!, text: 'redis-2 is primary' };
  all[3] = { ...all[3]!, text: 'redis-2 is primary', host: 'b' };
  const [story, ...others] = storiesOf(all);
  expect(others).toEqual([]);
  expect(story?.steps.map(({ ms, hosts }) => [ms, hosts.join()])).toEqual([
    [0, 'local'],
    [9, 'local'],
    [11, 'local,b'],
  ]);
});

test('a replica that dies without a change of primary is no story', () => {
  expect(storiesOf(events('0 exited redis-3', '90 restart redis-3'))).toEqual([]);
});

test('the key of a story stays while it grows', () => {
  const all = events(...crash);
  const keys = [4, 5, 7].map((many) => storiesOf(all.slice(0, many))[0]?.key);
  expect(new Set(keys).size).toBe(1);
});
