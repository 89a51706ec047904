import { Fault } from '../fault.ts';
import { type } from '../format.ts';
import { ListpackReader } from '../packed/listpack.ts';
import type { BodyState } from './body-state.ts';
import { bodyMode } from './mode.ts';
import { placeBlobFault } from './packed.ts';
import { stepIdempotence } from './stream-idempotence.ts';
import { walkStreamNode } from './stream-node.ts';
import { newGroup } from './stream-state.ts';
import type { StreamConsumer } from './visitor.ts';

/**
 * stream: count of nodes, then key (16 bytes: the first id) and listpack each; length, last id; since version 2
 * first id, greatest deleted id, entries added; count of groups, and per group: name, last id, since version 2
 * entries read; count of pending, and per pending id (16 bytes), time (8), deliveries; count of consumers, and per
 * consumer name, time seen (8), since version 3 time active (8), count of pending, and per pending its id (16).
 * Version 4 (Redis 8.6) has what makes producers idempotent behind the groups: stream-idempotence.ts.
 * Source: redis src/rdb.c, src/t_stream.c.
 */
const step = {
  count: 0,
  nodeKey: 1,
  node: 2,
  info: 3,
  group: 4,
  pending: 5,
  consumers: 6,
  consumer: 7,
  owned: 8,
  idempotence: 9,
};

const listpack = new ListpackReader();

export function stepStream(walker: BodyState): boolean {
  for (;;) {
    switch (walker.phase) {
      case step.count:
        if (!walker.cursor.readCount()) return false;
        walker.left = walker.cursor.length;
        if (walker.mode === bodyMode.decode) walker.visitor.begin('stream', -1);
        walker.phase = step.nodeKey;
        break;
      case step.nodeKey:
      case step.node:
        if (!stepNodes(walker)) return false;
        walker.phase = step.info;
        break;
      case step.info:
        if (!readInfo(walker)) return false;
        walker.phase = step.group;
        break;
      case step.group:
        if (walker.stream.groups === 0) {
          if (walker.type !== type.streamListpacks4) return true;
          walker.stream.idempotence.phase = 0;
          walker.phase = step.idempotence;
          break;
        }
        if (!readGroup(walker)) return false;
        walker.phase = step.pending;
        break;
      case step.pending:
        if (!readPending(walker)) return false;
        walker.phase = step.consumers;
        break;
      case step.consumers:
        if (!walker.cursor.readCount()) return false;
        walker.stream.consumers = walker.cursor.length;
        walker.phase = step.consumer;
        break;
      case step.idempotence:
        return stepIdempotence(walker, walker.stream.idempotence);
      default:
        if (!stepConsumers(walker)) return false;
        if (walker.mode === bodyMode.decode) walker.visitor.streamGroup(walker.stream.group);
        walker.stream.groups--;
        walker.phase = step.group;
    }
  }
}

function stepNodes(walker: BodyState): boolean {
  const { cursor, stream } = walker;
  while (walker.left > 0) {
    if (walker.phase === step.nodeKey) {
      if (!cursor.takeString()) return false;
      if (cursor.textEnd - cursor.textStart !== 16) {
        throw new Fault('corrupt', 'the key of a stream node is not an id of 16 bytes', cursor.offset);
      }
      stream.ms = cursor.text.readBigUInt64BE(cursor.textStart);
      stream.seq = cursor.text.readBigUInt64BE(cursor.textStart + 8);
      walker.phase = step.node;
    }
    if (walker.mode === bodyMode.skip) {
      if (!cursor.skipString()) return false;
    } else {
      if (!cursor.takeString()) return false;
      try {
        listpack.open(cursor.text, cursor.textStart, cursor.textEnd);
        const visitor = walker.mode === bodyMode.decode ? walker.visitor : undefined;
        visitor?.streamNode?.(cursor.textEnd - cursor.textStart, stream.ms, stream.seq);
        walkStreamNode(listpack, stream.ms, stream.seq, visitor);
      } catch (error) {
        throw placeBlobFault(error, cursor);
      }
      walker.seen++;
    }
    walker.phase = step.nodeKey;
    walker.left--;
  }
  return true;
}

function readInfo(walker: BodyState): boolean {
  const { cursor } = walker;
  const start = cursor.pos;
  const isOld = walker.type === type.streamListpacks;
  const values: bigint[] = [];
  for (let index = isOld ? 4 : 9; index > 0; index--) {
    if (!cursor.readCount()) {
      cursor.pos = start;
      return false;
    }
    values.push(cursor.bigLength);
  }
  const [length = 0n, ...ids] = values;
  walker.stream.groups = cursor.length;
  if (walker.mode !== bodyMode.skip && length > 0n && walker.seen === 0) {
    throw new Fault('corrupt', `the stream says it has ${length} entries, it has no node`, cursor.offset);
  }
  if (walker.mode === bodyMode.decode) {
    walker.visitor.streamInfo({
      length,
      lastId: `${ids[0]}-${ids[1]}`,
      firstId: isOld ? undefined : `${ids[2]}-${ids[3]}`,
      maxDeletedId: isOld ? undefined : `${ids[4]}-${ids[5]}`,
      entriesAdded: isOld ? undefined : ids[6],
    });
  }
  return true;
}

function readGroup(walker: BodyState): boolean {
  const { cursor } = walker;
  const start = cursor.pos;
  if (!cursor.takeString()) return false;
  const { text, textStart, textEnd } = cursor;
  const numbers: bigint[] = [];
  const wanted = walker.type === type.streamListpacks ? 3 : 4;
  while (numbers.length < wanted) {
    if (!cursor.readCount()) {
      cursor.pos = start;
      return false;
    }
    numbers.push(cursor.bigLength);
  }
  walker.left = cursor.length;
  if (walker.mode === bodyMode.decode) {
    const group = newGroup();
    group.name = Buffer.from(text.subarray(textStart, textEnd));
    group.lastId = `${numbers[0]}-${numbers[1]}`;
    group.entriesRead = wanted === 4 ? BigInt.asIntN(64, numbers[2] ?? 0n) : undefined;
    walker.stream.group = group;
  }
  return true;
}

function readPending(walker: BodyState): boolean {
  const { cursor } = walker;
  for (; walker.left > 0; walker.left--) {
    const start = cursor.pos;
    if (!cursor.has(25)) return false;
    cursor.pos += 24;
    if (!cursor.readCount()) {
      cursor.pos = start;
      return false;
    }
    if (walker.mode !== bodyMode.decode) continue;
    const deliveredMs = cursor.buf.readBigInt64LE(start + 16);
    const deliveries = cursor.bigLength;
    walker.stream.group.pending.push({ id: idAt(cursor.buf, start), deliveredMs, deliveries });
  }
  return true;
}

function stepConsumers(walker: BodyState): boolean {
  const { stream } = walker;
  for (;;) {
    if (walker.phase === step.consumer) {
      if (stream.consumers === 0) return true;
      if (!readConsumer(walker)) return false;
      walker.phase = step.owned;
    }
    if (!readOwned(walker)) return false;
    stream.consumers--;
    walker.phase = step.consumer;
  }
}

function readConsumer(walker: BodyState): boolean {
  const { cursor, stream } = walker;
  const start = cursor.pos;
  if (!cursor.takeString()) return false;
  const { text, textStart, textEnd } = cursor;
  const times = walker.type >= type.streamListpacks3 ? 16 : 8;
  const at = cursor.pos;
  if (!cursor.has(times + 1)) return rewind(walker, start);
  cursor.pos += times;
  if (!cursor.readCount()) return rewind(walker, start);
  walker.left = cursor.length;
  if (walker.mode === bodyMode.decode) {
    const consumer: StreamConsumer = {
      name: Buffer.from(text.subarray(textStart, textEnd)),
      seenMs: cursor.buf.readBigInt64LE(at),
      activeMs: times === 16 ? cursor.buf.readBigInt64LE(at + 8) : undefined,
      pending: [],
    };
    stream.group.consumers.push(consumer);
  }
  return true;
}

function readOwned(walker: BodyState): boolean {
  const { cursor, stream } = walker;
  if (walker.mode !== bodyMode.decode) {
    const bytes = walker.left * 16;
    walker.left = 0;
    cursor.skip(bytes);
    return true;
  }
  const pending = stream.group.consumers.at(-1)?.pending;
  for (; walker.left > 0; walker.left--) {
    if (!cursor.has(16)) return false;
    pending?.push(idAt(cursor.buf, cursor.pos));
    cursor.pos += 16;
  }
  return true;
}

function idAt(buf: Buffer, at: number): string {
  return `${buf.readBigUInt64BE(at)}-${buf.readBigUInt64BE(at + 8)}`;
}

function rewind(walker: BodyState, start: number): false {
  walker.cursor.pos = start;
  return false;
}
