import fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeRequest } from '../resp/write.ts';
import { Assembler } from './assembler.ts';
import { CommandRest } from './command-rest.ts';
import { changingKeys } from './key-changes.ts';
import { KeyPositions } from './key-positions.ts';
import { unchanged } from './rewrite.ts';

const place = { replId: 'a'.repeat(40), offset: 100, db: 0 };
const text = (length: number) => 'x'.repeat(length);
const request = (...args: string[]) => Buffer.from(writeRequest(args));

/** What goes to the target, in the order in which it does, and how far that is; long commands from so many bytes on. */
function passed(stream: Buffer, pieceBytes: number, leastBytes: number) {
  const assembler = new Assembler(place, unchanged);
  const sent: string[] = [];
  let longs = 0;
  let long: { rest: CommandRest; bytes: Buffer[] } | undefined;
  const take = () => {
    const batch = assembler.take();
    if (batch !== undefined && batch.bytes.length > 0) sent.push(batch.bytes.toString());
  };
  for (let at = 0; at < stream.length; at += pieceBytes) {
    let chunk = stream.subarray(at, at + pieceBytes);
    if (long !== undefined) {
      const taken = long.rest.take(chunk);
      long.bytes.push(chunk.subarray(0, taken));
      if (!long.rest.isWhole) continue;
      const bytes = Buffer.concat(long.bytes);
      sent.push(bytes.toString());
      assembler.longApplied(bytes.length);
      long = undefined;
      longs++;
      chunk = chunk.subarray(taken);
      if (chunk.length === 0) continue;
    }
    assembler.add(chunk);
    while (assembler.isFull()) take();
    if (assembler.longCommand(leastBytes) === undefined) continue;
    take();
    const begun = assembler.takeLong();
    long = { rest: begun.rest, bytes: [begun.bytes] };
  }
  take();
  return { sent: sent.join(''), longs, offset: assembler.wholePlace.offset };
}

test('long commands are passed on as they come, between others, and every byte counts', () => {
  const argument = fc.integer({ min: 0, max: 60 }).map(text);
  const commands = fc.array(fc.array(argument, { minLength: 1, maxLength: 8 }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(
      commands,
      fc.integer({ min: 1, max: 90 }),
      fc.integer({ min: 5, max: 150 }),
      (all, piece, least) => {
        const stream = Buffer.concat(all.map((args) => request('RPUSH', 'key', ...args)));
        const found = passed(stream, piece, least);
        expect(found.sent).toBe(stream.toString());
        expect(found.offset).toBe(place.offset + stream.length);
      },
    ),
  );
});

test('one is begun before it is held: by the length that it says, or by what has come', () => {
  const stream = Buffer.concat([
    request('SET', 'a', '1'),
    request('SET', 'long', text(5000)),
    request('SET', 'b', '2'),
  ]);
  expect(passed(stream, 100, 1000).longs).toBe(1);
  const many = request('RPUSH', 'list', ...Array.from({ length: 200 }, () => text(20)));
  expect(passed(many, 100, 1000).longs).toBe(1);
  expect(passed(many, 100, 10_000).longs).toBe(0);
});

test('in a transaction, or where keys change, it is held', () => {
  const head = (stream: Buffer) => stream.subarray(0, 60);
  const long = request('SET', 'long', text(5000));
  const inside = new Assembler(place, unchanged);
  inside.add(Buffer.concat([request('MULTI'), head(long)]));
  expect([inside.isFull(), inside.longCommand(1000)]).toEqual([false, undefined]);
  const changes = { prefix: Buffer.from('p:'), isCarried: () => true, positions: new KeyPositions([]) };
  const renamed = new Assembler(place, changingKeys(unchanged, changes));
  renamed.add(Buffer.from(head(long)));
  expect([renamed.isFull(), renamed.longCommand(1000)]).toEqual([false, undefined]);
  const plain = new Assembler(place, unchanged, { longest: 4999 });
  plain.add(Buffer.from(head(long)));
  expect([plain.isFull(), plain.longCommand(1000)?.db]).toEqual([false, 0]);
  expect(() => plain.takeLong()).toThrow(/what SET writes to key 'long'.*longer than the target takes/);
});

test('what is no command is told', () => {
  for (const bad of ['x\r\n', '$-1\r\n', `$${'1'.repeat(40)}`])
    expect(() => new CommandRest(2, () => {}).take(Buffer.from(bad))).toThrow(/no command/);
});
