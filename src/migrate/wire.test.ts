import fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeRequest } from '../resp/write.ts';
import { forEachKey, manyKeys, pack, pieces } from './wire.ts';

const key = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));

test('commands for many keys are those that would be written one by one', () => {
  fc.assert(
    fc.property(fc.array(key), (keys) => {
      const one = keys.flatMap((each) => [
        writeRequest(['DUMP', each]),
        writeRequest(['MEMORY', 'USAGE', each, 'SAMPLES', '1']),
      ]);
      expect(forEachKey(keys, [['DUMP'], ['MEMORY USAGE', 'SAMPLES', '1']])).toEqual(Buffer.concat(one));
      expect(manyKeys('MGET', keys)).toEqual(writeRequest(['MGET', ...keys]));
    }),
  );
});

test('pieces are the same bytes, and long values among them are not copied', () => {
  const long = Buffer.alloc(70_000, 'x');
  const requests = [
    ['RESTORE', Buffer.from('a'), '0', Buffer.from('short')],
    ['RESTORE', 'b', '0', long, 'REPLACE'],
    ['DEL', 'c'],
  ];
  const found = pieces(requests);
  expect(Buffer.concat(found)).toEqual(pack(requests));
  expect(found).toContain(long);
  expect(found).toHaveLength(3);
});
