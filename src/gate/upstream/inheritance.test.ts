import { expect, test } from 'vitest';
import type { ReplicationInfo } from '../../redis/info.ts';
import { continues } from './inheritance.ts';

const [old, own, none] = ['a', 'b', '0'].map((digit) => digit.repeat(40)) as [string, string, string];
const base = { offset: 100, offsetBefore: 100, linkUp: true, syncing: false, priority: 100, replicas: [] };
const of = (role: 'primary' | 'replica', replId: string, replIdBefore: string): ReplicationInfo => ({
  ...{ ...base, role, replId, replIdBefore },
  ...{
    primaryAddress: undefined,
    primaryPort: undefined,
    linkDownSeconds: undefined,
    linkSilentSeconds: 0,
    backlogBytes: 0,
  },
});
const heir = of('primary', own, old);

test('a former primary that goes on in the history of its successor had nothing of its own', () => {
  expect(continues(of('replica', own, old), heir)).toBe(true);
});

test.each([
  ['that got a full copy', of('replica', own, none), heir],
  ['that does not follow yet', of('replica', old, none), heir],
  ['that still acts as primary', of('primary', old, none), heir],
  ['of a successor that is none any more', of('replica', own, old), of('replica', own, old)],
])('one %s may have had more', (_what, before, after) => {
  expect(continues(before, after)).toBe(false);
});
