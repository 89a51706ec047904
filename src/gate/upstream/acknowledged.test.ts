import { expect, test } from 'vitest';
import { replicationInfo } from '../../redis/info.ts';
import { lacking, type Reign } from './acknowledged.ts';

const [first, second, third, none] = ['a', 'b', 'c', '0'].map((digit) => digit.repeat(40)) as [
  string,
  string,
  string,
  string,
];
const infoOf = (replId: string, replIdBefore: string, offsetBefore: number, role = 'master') =>
  replicationInfo({
    role,
    master_replid: replId,
    master_replid2: replIdBefore,
    second_repl_offset: String(offsetBefore + 1),
  });
/** It took over from the first primary at 100, and acknowledged up to 150. */
const before: Reign = { id: 'b', history: infoOf(second, first, 100), acknowledged: 150 };

test.each([
  ['a replica that had all', infoOf(third, second, 150), 0],
  ['a replica that had more', infoOf(third, second, 170), 0],
  ['a replica that had less', infoOf(third, second, 130), 20],
  ['the former primary, as it is still', infoOf(first, none, -1), 50],
  ['the former primary, which was made a replica and never copied', infoOf(third, first, 120), 50],
  ['one of which nobody can tell', infoOf(third, none, -1), 0],
  ['one that is a replica still', infoOf(third, first, 120, 'slave'), 0],
])('%s', (_who, now, bytes) => {
  expect(lacking(before, now)).toBe(bytes);
});

test('where nothing was acknowledged nothing is lacking', () => {
  expect(lacking({ ...before, acknowledged: null }, infoOf(first, none, -1))).toBe(0);
});
