import { expect, test } from 'vitest';
import { parseSpec } from '../parse.ts';

const parse = (text: string) => parseSpec(`name: x\n${text}`, 'x.yaml');

test('standalone members: two or more, without anything that is about replicas', () => {
  const { mirror } = parse('topology: mirror\nredis: { members: 2 }');
  expect(mirror).toEqual({ ack: 'one', read: 'local', onSplit: 'refuse' });
  expect(parse('topology: mirror').redis.minReplicasToWrite).toBe(0);
  expect(parse('redis: { members: 3 }').mirror).toBeNull();
  expect(parse('topology: mirror\nmirror: { ack: all }').gate.durability).toBe('replicated');
});

test('with standalone members there may be no Sentinels, on one host or several', () => {
  const none = parse('topology: mirror\nsentinel: { count: 0 }\nmirror: { ack: all }');
  expect(none).toMatchObject({ sentinels: [], sentinel: { quorum: 0 } });
  const hosts = 'hosts: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 } }';
  const two = parse(`topology: mirror\n${hosts}\nsentinel: { count: 0, detectAfter: 5s }`);
  expect(two.sentinels).toEqual([]);
  expect(two.members.map(({ host }) => host)).toEqual(['a', 'b']);
  expect(parse('topology: mirror\nsentinel: { count: 0 }\nmirror: { onSplit: serve }').mirror?.onSplit).toBe(
    'serve',
  );
});

test.each([
  ['sentinel: { count: 0 }', /nobody would replace a primary that is lost.*Only with topology: mirror/],
  ['topology: mirror\nsentinel: { count: 1 }', /found 1, at least 3/],
  [
    'topology: mirror\nsentinel: { count: 0 }\nmirror: { ack: quorum }',
    /quorum needs that; allowed: one, all/,
  ],
  ['topology: mirror\nsentinel: { count: 0, quorum: 2 }', /no meaning with count: 0/],
  [
    'topology: mirror\nsentinel: { count: 0 }\nmirrors: { dr: { to: redis://10.2.0.7 } }',
    /sentinel.count is 0/,
  ],
  ['topology: mirror\nsentinel: { count: 0, detectAfter: 1s }', /at least 3s/],
  ['mirror: { ack: all }', /without topology: mirror/],
  ['topology: mirror\nredis: { members: 1 }', /two members at least/],
  ['topology: mirror\nmirror: { read: quorum }', /allowed with it: local, lead/],
  ['topology: mirror\nmirror: { ack: all, onSplit: serve }', /allowed with it: refuse/],
  ['topology: mirror\nredis: { minReplicasToWrite: 1 }', /have no replicas/],
  ['topology: mirror\nredis: { maxMemoryPolicy: allkeys-lru }', /evict keys of its own choice/],
  ['topology: mirror\ngate: { kind: haproxy }', /HAProxy takes every standalone server/],
  ['topology: mirror\ngate: { durability: replicated }', /say mirror.ack instead/],
])('%s is refused', (text, message) => {
  expect(() => parse(text)).toThrow(message);
});
