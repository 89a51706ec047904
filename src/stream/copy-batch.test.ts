import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readArguments } from '../resp/arguments.ts';
import { ReplyError } from '../resp/read.ts';
import { createRequestFrame, frameRequest } from '../resp/request.ts';
import { CopyBatch } from './copy-batch.ts';

const limits = { bytes: 64, keys: 1000 };

/** The commands in some pieces, each as its arguments. */
function commandsIn(pieces: readonly Uint8Array[]): Buffer[][] {
  const bytes = Buffer.concat(pieces);
  const found: Buffer[][] = [];
  const bounds = { bulkBytes: 2 ** 31, elements: 2 ** 31 - 1, lineBytes: 64 * 1024 };
  for (let at = 0; at < bytes.length; ) {
    const end = frameRequest(bytes, at, bytes.length, createRequestFrame(), bounds);
    expect(end).toBeGreaterThan(at);
    found.push(readArguments(bytes, at, end));
    at = end;
  }
  return found;
}

const bytes = fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each));
const added = fc.record({
  isPair: fc.boolean(),
  db: fc.integer({ min: 0, max: 2 }),
  key: bytes,
  value: bytes,
});

test('what is added comes out in its database, as often as the batch is used', () => {
  fc.assert(
    fc.property(fc.array(fc.array(added, { maxLength: 30 }), { maxLength: 3 }), (rounds) => {
      const batch = new CopyBatch(true, limits);
      for (const all of rounds) {
        for (const { isPair, db, key, value } of all) {
          if (isPair) batch.addPair(db, key, 0, key.length, value, 0, value.length);
          else batch.addCommand(db, ['RESTORE', key, '0', value], key);
        }
        const { pieces, commands, db: last } = batch.written();
        const sent = commandsIn(pieces);
        expect(sent.length).toBe(commands);
        let selected = 0;
        const found: string[] = [];
        for (const [name, ...args] of sent) {
          if (String(name) === 'SELECT') selected = Number(args[0]);
          else if (String(name) === 'RESTORE')
            found.push(`${selected} ${args[0]?.toString('hex')} ${args[2]?.toString('hex')}`);
          else {
            expect(String(name)).toBe('MSET');
            for (let at = 0; at < args.length; at += 2)
              found.push(`${selected} ${args[at]?.toString('hex')} ${args[at + 1]?.toString('hex')}`);
          }
        }
        expect(selected).toBe(last);
        const wanted = all.map(
          ({ db, key, value }) => `${db} ${key.toString('hex')} ${value.toString('hex')}`,
        );
        expect(found.toSorted()).toEqual(wanted.toSorted());
        expect(batch.keys).toBe(all.length);
        expect(batch.dbKeys().length).toBe(all.length);
        expect(batch.failures(sent.map(() => 'OK'))).toEqual([]);
        batch.clear();
        expect(batch.isEmpty).toBe(true);
      }
    }),
  );
});

test('keys that are there already, and what the target refuses, are told apart and named', () => {
  const batch = new CopyBatch(false, limits);
  const [a, b, c] = ['a', 'b', 'c'].map((each) => Buffer.from(each)) as [Buffer, Buffer, Buffer];
  batch.addPair(1, a, 0, 1, b, 0, 1);
  batch.addPair(1, b, 0, 1, b, 0, 1);
  batch.addCommand(1, ['RESTORE', c, '0', b], c);
  batch.addCommand(1, ['FUNCTION', 'LOAD', 'x'], null);
  const sent = commandsIn(batch.written().pieces).map((args) => String(args[0]));
  expect(sent).toEqual(['SELECT', 'MSETNX', 'RESTORE', 'FUNCTION']);
  const names = (results: Parameters<CopyBatch['failures']>[0]) =>
    batch.failures(results).map(({ key, refusal }) => `${key?.db} ${key?.key} ${refusal}`);
  expect(names(['OK', 1, 'OK', 'OK'])).toEqual([]);
  expect(names(['OK', 0, 'OK', 'OK'])).toEqual(['1 a undefined', '1 b undefined']);
  expect(names(['OK', 1, new ReplyError('BUSYKEY there'), new ReplyError('ERR no')])).toEqual([
    '1 c undefined',
    'undefined undefined ERR no',
  ]);
});
