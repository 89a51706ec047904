import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readArguments } from '../resp/arguments.ts';
import { createRequestFrame, frameRequest, redisRequestLimits } from '../resp/request.ts';
import { writeRequest } from '../resp/write.ts';
import { Assembler, type Batch } from './assembler.ts';
import { unchanged } from './rewrite.ts';

const start = { replId: 'a'.repeat(40), offset: 1000, db: 2 };

/** What a server that executes these would have executed, each with the database it was executed in. */
function executed(bytes: Buffer, db: number, done: string[]): number {
  let selected = db;
  const frame = createRequestFrame();
  for (let at = 0; at < bytes.length; ) {
    const end = frameRequest(bytes, at, bytes.length, frame, redisRequestLimits);
    expect(end).toBeGreaterThan(0);
    const [name, ...rest] = readArguments(bytes, at, end).map(String);
    if (name === 'SELECT') selected = Number(rest[0]);
    else if (!['PING', 'MULTI', 'EXEC', 'PUBLISH', 'REPLCONF'].includes(name!))
      done.push(`${selected} ${name} ${rest.join(' ')}`);
    at = end;
  }
  return selected;
}

const write = fc.record({ key: fc.string({ maxLength: 5 }), length: fc.integer({ min: 0, max: 300 }) });
const item = fc.oneof(
  { weight: 6, arbitrary: write.map(({ key, length }) => [['SET', key, 'x'.repeat(length)]]) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 5 }).map((db) => [['SELECT', `${db}`]]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom([['PING']], [['PUBLISH', 'c', 'm']], [['REPLCONF', 'GETACK', '*']]),
  },
  {
    weight: 2,
    arbitrary: fc
      .array(write, { minLength: 1, maxLength: 6 })
      .map((all) => [['MULTI'], ['SELECT', '4'], ...all.map(({ key }) => ['INCR', key]), ['EXEC']]),
  },
);

function batchesOf(bytes: Buffer, pieces: number[], takesOften: boolean): Batch[] {
  const assembler = new Assembler(start, unchanged, { bytes: 500, commands: 7 });
  const batches: Batch[] = [];
  const take = () => {
    const batch = assembler.take();
    if (batch !== undefined) batches.push({ ...batch, bytes: Buffer.from(batch.bytes) });
  };
  const memory = Buffer.alloc(bytes.length);
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = Math.min(bytes.length - at, pieces[turn % pieces.length]!);
    // The reader's memory is used again for each piece.
    bytes.copy(memory, 0, at, at + length);
    assembler.add(memory.subarray(0, length));
    while (assembler.isFull()) take();
    if (takesOften) take();
    memory.fill(0x3f);
    at += length;
  }
  take();
  return batches;
}

test('whatever the pieces, what is executed is what the source has executed, and no transaction is divided', () => {
  const items = fc.array(item, { minLength: 1, maxLength: 40 });
  const pieces = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(items, pieces, fc.boolean(), (all, sizes, takesOften) => {
      const bounds = new Set<number>([start.offset]);
      let offset = start.offset;
      for (const commands of all) {
        for (const args of commands) offset += writeRequest(args).length;
        bounds.add(offset);
      }
      const bytes = Buffer.concat(all.flat().map((args) => writeRequest(args)));
      const batches = batchesOf(bytes, sizes, takesOften);
      const [there, here] = [[] as string[], [] as string[]];
      const db = executed(bytes, start.db, there);
      for (const batch of batches) {
        expect(bounds).toContain(batch.place.offset);
        expect(executed(batch.bytes, 0, here)).toBe(batch.db);
      }
      expect(here).toEqual(there);
      expect(batches.at(-1)?.place).toEqual({ replId: start.replId, offset, db });
    }),
  );
});

test('databases that are left out leave nothing, and move the place', () => {
  const assembler = new Assembler(start, { ...unchanged, targetDb: (db) => (db === 1 ? 5 : undefined) });
  const commands = [
    ['SET', 'a', '1'],
    ['SELECT', '1'],
    ['SET', 'b', '2'],
    ['SELECT', '0'],
    ['SET', 'c', '3'],
  ];
  const bytes = Buffer.concat(commands.map((args) => writeRequest(args)));
  assembler.add(bytes);
  expect(assembler.isFull()).toBe(false);
  const batch = assembler.take()!;
  expect(batch.bytes.toString()).toBe(
    Buffer.concat([writeRequest(['SELECT', '5']), writeRequest(['SET', 'b', '2'])]).toString(),
  );
  expect(batch).toMatchObject({ commands: 2, db: 5, place: { offset: start.offset + bytes.length, db: 0 } });
});

test('what is no command ends it', () => {
  const assembler = new Assembler(start, unchanged);
  const before = writeRequest(['SET', 'a', '1']);
  assembler.add(Buffer.concat([before, Buffer.from('*1\r\n+no\r\n')]));
  expect(() => assembler.isFull()).toThrow(expect.objectContaining({ code: 'STREAM_CANT_CARRY' }));
  const whole = Buffer.concat([writeRequest(['SELECT', '2']), before]);
  expect(assembler.take()).toMatchObject({ bytes: whole, commands: 2 });
});

test('nor are words on a line one, which a file may have anywhere; an end that is torn is counted', () => {
  const before = writeRequest(['SET', 'a', '1']);
  const read = (...pieces: (Buffer | string)[]) => {
    const assembler = new Assembler(start, unchanged);
    assembler.add(Buffer.concat([before, ...pieces.map((piece) => Buffer.from(piece))]));
    assembler.isFull();
    return assembler.unfinishedBytes;
  };
  const refused = expect.objectContaining({ code: 'STREAM_CANT_CARRY' });
  for (const damage of [
    'config set maxmemory 1\r\n',
    'SET b 1\n',
    `\0${before}`,
    `${'\0'.repeat(4096)}${before}`,
    '\0\0',
  ])
    expect(() => read(damage)).toThrow(refused);
  expect(read('\n', '#TS:1700000000\r\n')).toBe(0);
  expect(read(before.subarray(0, 9))).toBe(9);
  const multi = writeRequest(['MULTI']);
  expect(read(multi, before, before.subarray(0, 3))).toBe(multi.length + before.length + 3);
});
