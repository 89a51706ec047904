import { expect, test } from 'vitest';
import type { Plan } from './plan.ts';
import { mappingOf, mayBeOthers } from './plan-mapping.ts';

const source: Plan['sources'][number] = {
  ...{ url: 'redis://a', passwordFile: null, ca: null, sentinelPasswordFile: null },
  ...{ dbs: [], prefix: '', match: [], types: [], owned: [] },
};

function plan(prefixes: string[], more: Partial<Plan> = {}): Plan {
  return {
    ...{ version: 1, id: 'abcdefgh', createdMs: 0, method: 'replication' },
    sources: prefixes.map((prefix) => ({ ...source, prefix })),
    target: { url: 'redis://t', passwordFile: null, ca: null },
    ...{ onConflict: 'fail', maxRate: 0, maxLag: null, isAlone: false },
    ...more,
  } as Plan;
}

test('by replication only what came into an empty target from one source can only be its own', () => {
  const of = (made: Plan, index = 0) => mayBeOthers(made, index)(0);
  expect(of(plan(['']))).toBe(true);
  expect(of(plan([''], { isAlone: true }))).toBe(false);
  // Somebody else's keys may have been under the prefix before.
  expect(of(plan(['a:']))).toBe(true);
  expect(of(plan(['a:', 'b:']), 1)).toBe(true);
});

test('by scan it was looked at before anything was written', () => {
  const scan = (owned: number[] | null) =>
    mayBeOthers(plan([''], { method: 'scan', sources: [{ ...source, owned }] }), 0);
  expect([scan(null)(3), scan([3])(3), scan([3])(0), scan([])(0)]).toEqual([false, false, true, true]);
});

test('a source has the names and databases that its keys get', () => {
  const mapping = mappingOf({ ...source, prefix: 'a:', match: ['user:*'], dbs: [[0, 5]] });
  expect(mapping.targetDb(0)).toBe(5);
  const keys = ['a:user:1', 'a:cache', 'user:1'].map((key) => Buffer.from(key));
  expect(mapping.sourceKeys(keys).map(String)).toEqual(['user:1']);
});
