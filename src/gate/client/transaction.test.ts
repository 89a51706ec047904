import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { behaviourOf } from '../commands/behaviour.ts';
import { besideABuffer } from './kept-bytes.ts';
import { Transaction } from './transaction.ts';
import { isReadInExec } from './transaction-handlers.ts';

test('beyond its limit a transaction keeps only what the answer of EXEC has to be read for, and counts that', () => {
  const transaction = new Transaction();
  transaction.onMulti(Buffer.from('MULTI'), true);
  const queue = (name: string, bytes: number) => {
    const request = Buffer.alloc(bytes, 'x');
    transaction.onQueued({ request, asked: request }, isReadInExec(behaviourOf(name, [])), 1000);
  };
  queue('set', 600);
  expect([transaction.forgetful, transaction.keptBytes]).toEqual([false, 600 + besideABuffer + 8]);
  for (const name of ['publish', 'blpop', 'xread', 'eval']) queue(name, 600);
  expect([transaction.forgetful, transaction.keptBytes]).toEqual([true, 600 + besideABuffer + 5 * 8]);
  queue('select', 20);
  expect(transaction.keptBytes).toBe(620 + 2 * besideABuffer + 6 * 8);
  expect(transaction.count).toBe(6);
  expect(transaction.requests.map(({ length }) => length)).toEqual([600, 0, 0, 0, 0, 20]);
});
