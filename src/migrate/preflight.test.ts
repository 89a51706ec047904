import { expect, test } from 'vitest';
import { judge, refuseWhatIsRefused, type SourceFacts, type TargetFacts } from './preflight.ts';

const source: SourceFacts = {
  ...{
    name: 'old',
    product: 'redis',
    version: '7.0.15',
    runId: 'a',
    role: 'master',
    isCluster: false,
    hasAof: false,
  },
  ...{
    databases: [{ db: 0, keys: 5 }],
    keys: 5,
    dataBytes: 1000,
    usedBytes: 2000,
    maxBytes: 0,
    policy: 'noeviction',
    modules: [],
  },
  ...{ refusal: null, forbidden: [] },
};
const target: TargetFacts = { ...source, name: 'new', runId: 'b', missingDbs: [] };

function found(
  from: Partial<SourceFacts>,
  to: Partial<TargetFacts>,
  method: 'replication' | 'scan' = 'replication',
): string {
  const texts = judge([{ ...source, ...from }], { ...target, ...to }, method);
  return texts.map(({ level, text }) => `${level}: ${text}`).join('\n');
}

test('two servers of a kind pass', () => {
  expect(found({}, {})).toBe('');
});

test('what speaks against it is said', () => {
  expect(found({ isCluster: true }, {})).toMatch(/^refused: old is a node of a Redis Cluster/);
  expect(found({ isCluster: true, refusal: 'managed', forbidden: ['no PAUSE'] }, {}, 'scan')).toBe('');
  expect(found({ refusal: 'managed' }, {})).toMatch(/^refused: old does not let a replica in: managed/);
  expect(found({ forbidden: ['no PAUSE'] }, {})).toMatch(
    /^warning: a cut-over can't hold the writers of old/,
  );
  expect(found({}, { isCluster: true })).toMatch(/^refused: new is a node/);
  expect(found({}, { role: 'slave' })).toMatch(/^refused: new is a replica/);
  expect(found({}, { runId: 'a' })).toMatch(/^refused: old and new are one server/);
  expect(found({}, { missingDbs: [3] })).toMatch(/^refused: new has no database 3/);
  expect(found({}, { forbidden: ['no RESTORE'] })).toMatch(
    /^refused: the user at new lacks a right: no RESTORE/,
  );
  expect(found({}, { maxBytes: 2999 })).toMatch(/^refused: new may use .* of memory/);
  expect(found({}, { maxBytes: 3000 })).toBe('');
  expect(found({}, { maxBytes: 9000, policy: 'allkeys-lru' })).toMatch(/^warning: new evicts/);
  expect(found({ modules: ['bf'] }, {})).toMatch(/^warning: old has the module bf/);
  expect(found({ version: '7.2.4' }, {})).toMatch(/^warning: new .* is older/);
  expect(found({ product: 'valkey', version: '8.0.1' }, { version: '7.2.0' })).toBe('');
  expect(found({ product: 'valkey', version: '9.0.0' }, { version: '8.2.0' })).toMatch(/is older/);
  expect(() => refuseWhatIsRefused([{ level: 'warning', text: 'x' }])).not.toThrow();
  expect(() => refuseWhatIsRefused([{ level: 'refused', text: 'x' }])).toThrow(/can't be migrated: x/);
});
