import { expect, test } from 'vitest';
import { type Candidate, chooseReplica } from './choice.ts';

const candidate = (id: string, changes: Partial<Candidate> = {}): Candidate => ({
  id,
  fit: true,
  priority: 100,
  offset: 50,
  selected: false,
  answered: true,
  runId: id,
  ...changes,
});

test.each<[string, Candidate[], string | undefined]>([
  ['the lowest priority', [candidate('a', { offset: 99 }), candidate('b', { priority: 10 })], 'b'],
  ['then the most data', [candidate('a'), candidate('b', { offset: 51 })], 'b'],
  ['then one that a Sentinel selected', [candidate('a'), candidate('b', { selected: true })], 'b'],
  ['then one that answers', [candidate('a', { answered: false }), candidate('b')], 'b'],
  ['but not with less data', [candidate('a', { answered: false, offset: 51 }), candidate('b')], 'a'],
  ['then the first run id', [candidate('b'), candidate('a')], 'a'],
  ['never priority 0', [candidate('a', { priority: 0 }), candidate('b', { offset: 1 })], 'b'],
  ['never one that is not fit', [candidate('a', { fit: false }), candidate('b', { offset: 1 })], 'b'],
  ['nobody, if none is left', [candidate('a', { fit: false }), candidate('b', { priority: 0 })], undefined],
])('%s', (_name, candidates, chosen) => {
  expect(chooseReplica(candidates)?.id).toBe(chosen);
  expect(chooseReplica(candidates.toReversed())?.id).toBe(chosen);
});
