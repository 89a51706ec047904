import { expect, test } from 'vitest';
import { parseSpec } from '../../spec/parse.ts';
import { changesRefused, changesTold } from './spec-differences.ts';

const standalone = (mirror: string) =>
  parseSpec(`name: test\ntopology: mirror\nmirror: ${mirror}\nredis:\n  members: 3\n`, 'holdfast.yaml');

test('of standalone members the words of mirror are told, not the durability that follows from them', () => {
  const [before, after] = [
    standalone('{ ack: one, onSplit: serve }'),
    standalone('{ ack: quorum, read: quorum }'),
  ];
  expect(changesRefused(before, after, ['gate-1'])).toEqual([]);
  expect(changesTold(before, after, ['gate-1'])).toEqual([
    { where: 'gate-1', what: 'mirror.ack', from: '"one"', to: '"quorum"', takes: 'restart' },
    { where: 'gate-1', what: 'mirror.read', from: '"local"', to: '"quorum"', takes: 'restart' },
    { where: 'agent', what: 'mirror.onSplit', from: '"serve"', to: '"refuse"', takes: 'now' },
  ]);
});

test.each([
  ['quorum', 'all'],
  ['all', 'quorum'],
])('from ack: %s to %s nothing is changed while it runs', (from, to) => {
  const [before, after] = [from, to].map((ack) => standalone(`{ ack: ${ack} }`)) as [never, never];
  expect(changesRefused(before, after, [])[0]).toMatchObject({
    ...{ where: 'redis-1', what: 'place', takes: 'down-and-up' },
    ...{ from: expect.stringContaining(`ack: ${from}`), to: expect.stringContaining(`ack: ${to}`) },
  });
});
