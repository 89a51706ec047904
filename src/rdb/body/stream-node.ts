import { Fault } from '../fault.ts';
import type { ListpackReader } from '../packed/listpack.ts';
import type { ValueVisitor } from './visitor.ts';

/**
 * A node of a stream, as a listpack: live entries, deleted entries, count of fields, the fields, 0. Then per entry:
 * flags (1 deleted, 2 the fields are those above), milliseconds and sequence beyond the node's own id; count of
 * fields and each field with its value, or the values alone; how many elements the entry has. Source: redis
 * src/t_stream.c.
 */
const flag = { deleted: 1, sameFields: 2 } as const;

/** Walks the node's entries and tells the visitor those that live. */
export function walkStreamNode(
  reader: ListpackReader,
  ms: bigint,
  seq: bigint,
  visitor: ValueVisitor | undefined,
): void {
  const live = integer(reader);
  const deleted = integer(reader);
  const fieldCount = integer(reader);
  const fields: Buffer[] = [];
  for (let index = 0; index < fieldCount; index++) {
    step(reader);
    reader.resolve();
    if (visitor !== undefined) fields.push(Buffer.from(reader.buf.subarray(reader.start, reader.end)));
  }
  if (integer(reader) !== 0) throw bad('the fields do not end where they should');
  let seen = 0;
  while (reader.next()) {
    const flags = ownInteger(reader);
    if (flags < 0 || flags > 3) throw bad(`an entry has unknown flags ${flags}`);
    const isDeleted = (flags & flag.deleted) !== 0;
    seen++;
    walkEntry(reader, flags, ms, seq, fieldCount, fields, isDeleted ? undefined : visitor);
  }
  if (seen !== live + deleted)
    throw bad(`it has ${seen} entries, not ${live} and ${deleted} deleted as it says`);
}

function walkEntry(
  reader: ListpackReader,
  flags: number,
  ms: bigint,
  seq: bigint,
  fieldCount: number,
  fields: Buffer[],
  visitor: ValueVisitor | undefined,
): void {
  step(reader);
  const entryMs = BigInt.asUintN(64, ms + big(reader));
  step(reader);
  const entrySeq = BigInt.asUintN(64, seq + big(reader));
  const isSame = (flags & flag.sameFields) !== 0;
  const count = isSame ? fieldCount : integer(reader);
  visitor?.streamEntry(`${entryMs}-${entrySeq}`, count, entryMs, entrySeq);
  for (let index = 0; index < count; index++) {
    const field = fields[index];
    if (!isSame) tell(reader, visitor);
    else if (field !== undefined) visitor?.text(field, 0, field.length);
    tell(reader, visitor);
  }
  const expected = isSame ? count + 3 : count * 2 + 4;
  const found = integer(reader);
  if (found !== expected) throw bad(`an entry of ${expected} elements says it has ${found}`);
}

function tell(reader: ListpackReader, visitor: ValueVisitor | undefined): void {
  step(reader);
  if (visitor === undefined) return;
  reader.resolve();
  visitor.text(reader.buf, reader.start, reader.end);
}

function step(reader: ListpackReader): void {
  if (!reader.next()) throw bad('it ends inside an entry');
}

function integer(reader: ListpackReader): number {
  step(reader);
  return ownInteger(reader);
}

function ownInteger(reader: ListpackReader): number {
  return Number(big(reader));
}

function big(reader: ListpackReader): bigint {
  if (!reader.isInteger) throw bad('an integer is expected, not a string');
  return (BigInt(reader.high) << 32n) | BigInt(reader.low >>> 0);
}

function bad(reason: string): Fault {
  return new Fault('corrupt', `stream node: ${reason}`, 0);
}
