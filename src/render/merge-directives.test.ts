import { expect, test } from 'vitest';
import { mergeDirectives } from './merge-directives.ts';

test('what is rendered replaces what is there, and what Redis knows better stays', () => {
  const existing = '# by hand\nhz 10\nmaxmemory-samples 7\nslaveof 127.0.0.1 7101\nsave 1 1\nsave 2 2';
  const rendered = 'hz 20\nsave 3 3\nreplicaof 127.0.0.1 7102\nport 7103\n';
  expect(mergeDirectives(existing, rendered)).toBe(
    '# by hand\nhz 20\nmaxmemory-samples 7\nslaveof 127.0.0.1 7101\nsave 3 3\nport 7103\n',
  );
});

test('what a Sentinel is told of another primary that it watches is left alone', () => {
  const others = [
    'sentinel monitor b 127.0.0.1 9 1',
    'sentinel auth-pass b x',
    'sentinel failover-timeout b 9',
  ];
  const existing = ['sentinel monitor a 127.0.0.1 8 1', 'sentinel auth-pass a old', ...others].join('\n');
  const merged = mergeDirectives(existing, 'sentinel auth-pass a new\nsentinel failover-timeout a 5\n');
  const ours = ['sentinel monitor a 127.0.0.1 8 1', 'sentinel auth-pass a new'];
  expect(merged).toBe(`${[...ours, ...others, 'sentinel failover-timeout a 5'].join('\n')}\n`);
});

test('a directive that is there by another of its names is the same one', () => {
  const existing = 'hash-max-listpack-entries 64\nslave-lazy-flush yes\nhash-max-ziplist-entries 1000\n';
  const rendered = 'hash-max-ziplist-entries 128\nreplica-lazy-flush no\n';
  expect(mergeDirectives(existing, rendered)).toBe('hash-max-ziplist-entries 128\nreplica-lazy-flush no\n');
});
