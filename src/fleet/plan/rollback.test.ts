import { expect, test } from 'vitest';
import type { HostFacts } from '../facts/host-facts.ts';
import { planRollback, rollbackBuild } from './rollback.ts';

const host = (id: string, current: string | null, previous: string | null, runs = current): HostFacts =>
  ({ host: id, current, previous, agent: runs === null ? null : { build: runs } }) as HostFacts;

test('all hosts go back to the build before, one after the other, the primary’s last', () => {
  const facts = [host('a', 'new', 'old'), host('b', 'new', 'old'), host('c', 'new', 'old')];
  expect(rollbackBuild(facts)).toBe('old');
  const { prepare, turns } = planRollback(facts, 'old', 'a');
  expect(prepare.map(({ steps }) => steps)).toEqual(
    facts.map(() => [{ kind: 'relink', build: 'old', from: 'new' }]),
  );
  expect(turns.map(({ hosts }) => hosts)).toEqual([['b'], ['c'], ['a']]);
});

test('an upgrade that came halfway is taken back where it came to, also where the agent is not yet another', () => {
  const facts = [host('a', 'new', 'old'), host('b', 'new', 'old', 'old'), host('c', 'old', 'older')];
  expect(rollbackBuild(facts)).toBe('old');
  const { prepare, turns } = planRollback(facts, 'old', null);
  expect(prepare.map(({ steps }) => steps.length)).toEqual([1, 1, 0]);
  expect(turns.map(({ hosts }) => hosts)).toEqual([['a']]);
});

test('without a build that all had, it is refused', () => {
  expect(() => rollbackBuild([host('a', 'new', null), host('b', 'new', 'old')])).toThrow(
    /no holdfast that all hosts had/,
  );
  expect(() => rollbackBuild([host('a', null, null)])).toThrow(/no holdfast/);
});
