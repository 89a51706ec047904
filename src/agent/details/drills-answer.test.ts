import { expect, test } from 'vitest';
import type { ApiDrills } from '../../api/findings.ts';
import { drillsOfAll } from './drills-answer.ts';

const run = (host: string, at: string) => ({
  ...{ id: `0123456789abcde${host}`, host, scenario: 'primary-crash', at: `2026-11-27T${at}:00.000Z` },
  ...{ kept: true, page: `/api/drills/0123456789abcde${host}/page` },
});
const own: ApiDrills = { scenarios: [], runs: [run('a', '12:00')], missing: [] };

test('drills of all hosts stand newest first, each with its host; a page that lies elsewhere is no link', () => {
  const theirs = { scenarios: [], runs: [run('a', '13:00')], missing: [] };
  const { runs, missing } = drillsOfAll(
    own,
    new Map([
      ['b', { answer: theirs }],
      ['c', { missing: 'no agent listens there' }],
    ]),
  );
  expect(runs.map(({ host, page }) => [host, page !== null])).toEqual([
    ['b', false],
    ['a', true],
  ]);
  expect(missing).toEqual([{ host: 'c', why: 'no agent listens there' }]);
});

test('an agent of a release before tells its drills without a host', () => {
  const { host: _unsaid, ...old } = run('b', '13:00');
  const { runs, missing } = drillsOfAll(own, new Map([['b', { answer: { scenarios: [], runs: [old] } }]]));
  expect([runs[0]?.host, missing]).toEqual(['b', []]);
});
