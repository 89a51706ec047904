import { expect, test } from 'vitest';
import { Crc64 } from '../../rdb/crc64.ts';
import { sumOf } from './compare-values.ts';

/** As DUMP gives it: the value, the version of its form, and a checksum of both. */
function dumped(value: string): Buffer {
  const body = Buffer.concat([Buffer.from(value), Buffer.from([10, 0])]);
  const crc = new Crc64();
  crc.update(body);
  const checksum = Buffer.alloc(8);
  checksum.writeInt32LE(crc.low, 0);
  checksum.writeInt32LE(crc.high, 4);
  return Buffer.concat([body, checksum]);
}

test('of a value that changed the sum is another one, also of what DUMP has summed up itself', () => {
  const sums = ['one', 'two', 'two'].flatMap((each) => [
    sumOf({ value: { payload: dumped(each) }, expiry: null }),
    sumOf({ value: { text: Buffer.from(each) }, expiry: null }),
  ]);
  expect(new Set(sums.slice(0, 4)).size).toBe(4);
  expect(sums.slice(4)).toEqual(sums.slice(2, 4));
});
