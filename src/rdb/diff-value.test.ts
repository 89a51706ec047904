import { expect, test } from 'vitest';
import { makeRdb, memorySpill, sourceOf } from '../../test/support/rdb-files.ts';
import type { StreamGroup } from './body/visitor.ts';
import { type Difference, diffFiles } from './diff.ts';
import { describeDifference } from './diff-value.ts';
import type { RdbValue } from './value.ts';

type Stream = Extract<RdbValue, { kind: 'stream' }>;

function stream(change: Partial<Stream> = {}, group: Partial<StreamGroup> = {}): Stream {
  const entry = { id: '1-1', fields: [{ field: Buffer.from('f'), value: Buffer.from('v') }] };
  const pending = [{ id: '1-1', deliveredMs: 5n, deliveries: 1n }];
  const consumers = [{ name: Buffer.from('c'), seenMs: 0n, activeMs: 0n, pending: ['1-1'] }];
  const info = { length: 1n, lastId: '1-1', firstId: '1-1', maxDeletedId: '0-0', entriesAdded: 1n };
  const groups = [{ name: Buffer.from('g'), lastId: '1-1', entriesRead: 1n, pending, consumers, ...group }];
  return { kind: 'stream', entries: [entry], info, groups, ...change };
}

test.each([
  [stream({ entries: [] }), '1 entries against 0, entry 0 is 1-1 against none'],
  [
    stream({ entries: [{ id: '1-1', fields: [{ field: Buffer.from('f'), value: Buffer.from('w') }] }] }),
    '1 entries against 1, the fields of 1-1 differ',
  ],
  [stream({ info: { ...stream().info, lastId: '2-0' } }), 'the same entries, last id 1-1 against 2-0'],
  [stream({ groups: [] }), 'the same entries, 1 groups against 0'],
  [stream({}, { name: Buffer.from('h') }), "the same entries, group 'g' is only in the first"],
  [stream({}, { lastId: '0-0' }), "the same entries, group 'g': last id 1-1 against 0-0"],
  [
    stream({}, { pending: [{ id: '1-1', deliveredMs: 6n, deliveries: 2n }] }),
    "the same entries, group 'g': 1 pending against 1, 1-1 delivered at 5 against 6, 1 times against 2",
  ],
  [stream({}, { consumers: [] }), "the same entries, group 'g': its consumers differ"],
])('why streams differ: %#', (other, why) => {
  expect(describeDifference(stream(), other)).toBe(why);
});

test('a key that had expired before a server was read is marked', async () => {
  const first = await makeRdb([
    { key: 'gone', value: 'x', expireMs: 1000 },
    { key: 'later', value: 'x', expireMs: 9000 },
    { key: 'plain', value: 'x' },
  ]);
  const found: Difference[] = [];
  await diffFiles(sourceOf('file', first), sourceOf('server', await makeRdb([])), {
    ...{ spill: memorySpill(), expiryToleranceMs: 0, ignoreExpiry: false, details: 0, readAtMs: 5000 },
    onDifference: (difference) => found.push(difference),
  });
  expect(found.map(({ key, expired }) => [key.toString(), expired])).toEqual([
    ['gone', true],
    ['later', undefined],
    ['plain', undefined],
  ]);
});
