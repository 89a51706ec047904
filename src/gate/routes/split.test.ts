import { expect, test } from 'vitest';
import { combine, partRequests } from './split.ts';

const words = (text: string) => text.split(' ').map((word) => Buffer.from(word));
const parts = [
  { lane: 1, keys: [0, 2] },
  { lane: 0, keys: [1] },
];
const short = (key: Buffer, lane: number) => (lane === 1 ? key.subarray(2) : key);

test('each route gets its keys, with what belongs to them, under its own names', () => {
  const texts = (request: string) => partRequests(words(request), parts, short).map(String);
  expect(texts('MGET a:1 x a:2')).toEqual([
    '*3\r\n$4\r\nMGET\r\n$1\r\n1\r\n$1\r\n2\r\n',
    '*2\r\n$4\r\nMGET\r\n$1\r\nx\r\n',
  ]);
  expect(texts('mset a:1 v1 x v2 a:2 v3')).toEqual([
    '*5\r\n$4\r\nmset\r\n$1\r\n1\r\n$2\r\nv1\r\n$1\r\n2\r\n$2\r\nv3\r\n',
    '*3\r\n$4\r\nmset\r\n$1\r\nx\r\n$2\r\nv2\r\n',
  ]);
});

test('answers are put together in the order of the keys', () => {
  const of = (name: string, answers: string[], protocol: 2 | 3 = 2) =>
    combine(
      name,
      parts,
      answers.map((answer) => Buffer.from(answer)),
      protocol,
    ).toString();
  const lists = ['*2\r\n$1\r\na\r\n$-1\r\n', '*1\r\n$2\r\n\r\n\r\n'];
  expect(of('mget', lists)).toBe('*3\r\n$1\r\na\r\n$2\r\n\r\n\r\n$-1\r\n');
  expect(of('mget', ['*2\r\n_\r\n$1\r\nb\r\n', '*1\r\n_\r\n'], 3)).toBe('*3\r\n_\r\n_\r\n$1\r\nb\r\n');
  expect(of('mset', ['+OK\r\n', '+OK\r\n'])).toBe('+OK\r\n');
  expect(of('del', [':2\r\n', ':1\r\n'])).toBe(':3\r\n');
});
