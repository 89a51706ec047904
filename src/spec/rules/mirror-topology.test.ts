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

test.each([
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
