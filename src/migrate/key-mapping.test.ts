import { expect, test } from 'vitest';
import { KeyPattern } from '../base/key-pattern.ts';
import { everyKey, KeyMapping } from './key-mapping.ts';

const buffers = (...texts: string[]) => texts.map((each) => Buffer.from(each));
const mapping = new KeyMapping({
  ...{ prefix: Buffer.from('a:'), patterns: [new KeyPattern('user:*')], dbs: new Map([[0, 5]]) },
});

test('keys get their prefix, and are known again by it', () => {
  expect(mapping.targetKeys(buffers('user:1'))).toEqual(buffers('a:user:1'));
  expect(mapping.sourceKeys(buffers('a:user:1', 'a:cache:1', 'user:1', 'a', 'b:user:1'))).toEqual(
    buffers('user:1'),
  );
  expect(everyKey.sourceKeys(buffers('x', ''))).toEqual(buffers('x', ''));
});

test('databases are found in both directions', () => {
  expect([0, 1, 5].map((db) => mapping.targetDb(db))).toEqual([5, 1, 5]);
  expect([0, 1, 5].map((db) => mapping.sourceDbs(db))).toEqual([[], [1], [5, 0]]);
});
