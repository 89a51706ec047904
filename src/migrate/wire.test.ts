import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReplyError } from '../resp/read.ts';
import { writeRequest } from '../resp/write.ts';
import { forEachKey, manyKeys, pack, pieces, unrefused } from './wire.ts';

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

test('what the user may not is told with what grants it', () => {
  const refusing = (text: string) => () => unrefused([new ReplyError(text)], 'a:1', 'DUMP or PTTL');
  expect(refusing("NOPERM this user has no permissions to run the 'dump' command")).toThrow(
    expect.objectContaining({
      code: 'REDIS_REFUSED',
      hint: expect.stringContaining('ACL SETUSER USER +dump there'),
    }),
  );
  expect(refusing('NOPERM this user has no permissions to access one of the keys used as arguments')).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('ACL SETUSER USER ~* there') }),
  );
  expect(refusing('ERR no')).toThrow(expect.objectContaining({ hint: undefined }));
});
