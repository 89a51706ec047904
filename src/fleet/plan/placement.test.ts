import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseSpec } from '../../spec/parse.ts';
import type { Spec } from '../../spec/spec.ts';
import { specFileOf } from '../../spec/write.ts';
import { describeStage, keepIds, stagesTo } from './placement.ts';

function specOf(hosts: readonly string[], members = hosts, gates = hosts): Spec {
  const places = hosts.map((name) => [name, { address: `10.0.0.${name.charCodeAt(0)}`, ssh: name }]);
  const file = {
    name: 'orders',
    hosts: Object.fromEntries(places),
    redis: { on: members },
    gate: { on: gates },
  };
  return parseSpec(stringify(file), 'holdfast.yaml');
}

const ids = (spec: Spec) => [...spec.members, ...spec.sentinels].map(({ id, host }) => `${id} ${host}`);

test('one host in and one out: the new one joins first, and everybody keeps its id', () => {
  const before = specOf(['a', 'b', 'c']);
  const target = keepIds(specOf(['b', 'c', 'd']), [before]);
  expect(ids(target)).toEqual([
    ...['redis-2 b', 'redis-3 c', 'redis-4 d'],
    ...['sentinel-2 b', 'sentinel-3 c', 'sentinel-4 d'],
  ]);
  const stages = stagesTo(target, [before, before, before]);
  expect(stages.map(({ hosts }) => hosts.map(({ id }) => id).join(''))).toEqual(['bcda', 'bcd']);
  expect(stages.map(({ sentinel }) => sentinel.quorum)).toEqual([3, 2]);
  expect(describeStage(before, stages[0] as Spec)).toEqual(['redis-4, sentinel-4, gate-4 on host d: joins']);
  expect(describeStage(stages[0] as Spec, target)).toEqual(['redis-1, sentinel-1, gate-1 on host a: goes']);
});

test('a member moves to another host', () => {
  const before = specOf(['a', 'b', 'c', 'd', 'e'], ['a', 'b', 'c']);
  const target = keepIds(specOf(['a', 'b', 'c', 'd', 'e'], ['a', 'b', 'e']), [before]);
  const stages = stagesTo(target, [before]);
  expect(stages.map(({ members }) => members.map(({ id, host }) => `${id} ${host}`).join(', '))).toEqual([
    'redis-1 a, redis-2 b, redis-3 c, redis-4 e',
    'redis-1 a, redis-2 b, redis-4 e',
  ]);
});

const anyHosts = fc
  .uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), { minLength: 3, maxLength: 7 })
  .filter((hosts) => hosts.length % 2 === 1);

test('each step changes one Sentinel at most, can be written, and ends at what is wanted, from wherever it stopped', () => {
  fc.assert(
    fc.property(anyHosts, anyHosts, fc.nat(6), (old, now, stop) => {
      const before = specOf(old);
      const target = keepIds(specOf(now), [before]);
      const stages = stagesTo(target, [before]);
      expect(stages.at(-1)).toEqual(target);
      let last: Spec = before;
      for (const stage of stages) {
        const onlyIn = (spec: Spec, other: Spec) =>
          spec.sentinels.filter(({ id }) => !other.sentinels.some((each) => each.id === id));
        expect(onlyIn(stage, last).length + onlyIn(last, stage).length).toBeLessThanOrEqual(1);
        expect(stage.members.length).toBeGreaterThanOrEqual(
          Math.min(before.members.length, target.members.length),
        );
        expect(ids(parseSpec(stringify(specFileOf(stage)), 'holdfast.yaml'))).toEqual(ids(stage));
        last = stage;
      }
      // Interrupted: some hosts have one step, the others the one before.
      const reached = stages[Math.min(stop, stages.length - 1)] as Spec;
      const previous = stages[Math.min(stop, stages.length - 1) - 1] ?? before;
      const again = stagesTo(keepIds(specOf(now), [reached, previous]), [reached, previous]);
      expect(again.at(-1)).toEqual(target);
      expect(again.length).toBeLessThanOrEqual(stages.length);
    }),
  );
});

test('a step is about one host, so that no other waits for what is to come elsewhere', () => {
  const before = specOf(['a', 'b', 'c'], ['a', 'b', 'c'], ['a', 'b']);
  const target = keepIds(specOf(['b', 'c', 'd'], ['b', 'c', 'd'], ['b', 'c']), [before]);
  const stages = stagesTo(target, [before]);
  const changes = stages.map((stage, index) => describeStage(stages[index - 1] ?? before, stage));
  expect(changes).toEqual([
    ['redis-4, sentinel-4 on host d: joins'],
    ['gate-3 on host c: joins'],
    ['redis-1, sentinel-1, gate-1 on host a: goes'],
  ]);
});
