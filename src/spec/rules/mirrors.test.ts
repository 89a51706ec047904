import { expect, test } from 'vitest';
import { parseSpec } from '../parse.ts';

const parse = (mirror: string, more = '') =>
  parseSpec(`name: x\n${more}\nmirrors: { dr: { to: "redis://h", ${mirror} } }`, 'x.yaml');

test.each([
  ['percentage: 10', 'carries every write'],
  ['writes: all', 'has no reads in it'],
  ['how: requests, maxRate: 1mb', 'copied as they come'],
])('what belongs to the other kind of mirror is refused: %s', (mirror, words) => {
  expect(() => parse(mirror)).toThrow(words);
});

test('requests are copied by holdfast’s own gate only', () => {
  const haproxy = 'gate: { kind: haproxy }';
  expect(() => parse('how: requests', haproxy)).toThrow('beyond HAProxy');
  expect(parse('how: stream', haproxy).mirrors).toHaveLength(1);
});

test('each kind is where it is kept: streams by agents, requests by gates', () => {
  const { mirrors, gate } = parse('how: requests, writes: all, percentage: 10');
  expect(mirrors).toEqual([]);
  expect(gate.mirrors).toMatchObject([{ name: 'dr', copies: 'all', percentage: 10, prefixes: [] }]);
  expect(parse('how: requests').gate.mirrors).toMatchObject([{ copies: 'writes', percentage: 100 }]);
});
