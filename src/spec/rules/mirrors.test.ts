import { expect, test } from 'vitest';
import { parseSpec } from '../parse.ts';

const parse = (mirror: string, more = '') =>
  parseSpec(`name: x\n${more}\nmirrors: { dr: { to: "redis://h", ${mirror} } }`, 'x.yaml');

test.each([
  ['percentage: 10', 'carries every write'],
  ['writes: all', 'has no reads in it'],
  ['how: requests, maxRate: 1mb', 'copied as they come'],
  ['how: requests, queue: 1mb', 'nothing waits'],
])('what belongs to the other kind of mirror is refused: %s', (mirror, words) => {
  expect(() => parse(mirror)).toThrow(words);
});

test('requests are copied by holdfast’s own gate only', () => {
  const haproxy = 'gate: { kind: haproxy }';
  expect(() => parse('how: requests', haproxy)).toThrow('beyond HAProxy');
  expect(parse('how: stream', haproxy).mirrors).toHaveLength(1);
});

test('a fault of a route does something', () => {
  const routes = (fault: string) => `name: x
gate: { routes: { a: { to: "redis://h", prefixes: ["a:"], faults: [${fault}] } } }`;
  expect(() => parseSpec(routes('{ percentage: 5 }'), 'x.yaml')).toThrow('it does nothing');
  expect(() => parseSpec(routes('{ error: "no word" }'), 'x.yaml')).toThrow('begins with a word in capitals');
  const { gate } = parseSpec(routes('{ delay: 5ms, commands: [get] }'), 'x.yaml');
  expect(gate.routes[0]?.faults).toEqual([{ delayMs: 5, error: null, percentage: 100, commands: ['get'] }]);
});

test('each kind is where it is kept: streams by agents, requests by gates', () => {
  const { mirrors, gate } = parse('how: requests, writes: all, percentage: 10');
  expect(mirrors).toEqual([]);
  expect(gate.mirrors).toMatchObject([{ name: 'dr', copies: 'all', percentage: 10, prefixes: [] }]);
  expect(parse('how: requests').gate.mirrors).toMatchObject([{ copies: 'writes', percentage: 100 }]);
});
