import { Fault } from '../fault.ts';
import type { BodyState } from './body-state.ts';
import { bodyMode } from './mode.ts';
import { type IdempotenceState, noIdempotence } from './stream-state.ts';

/**
 * What Redis 8.6 remembers of the producers of a stream, so that an entry sent twice is added once: how long (seconds)
 * and how many ids of each; count of producers, and per producer its name, count of ids, and per id the text, and the
 * milliseconds and sequence of the entry; then how many ids were ever added, and how many came twice. All numbers are
 * lengths. Source: redis src/rdb.c (rdbSaveStreamIdmpEntries), src/server.h for the bounds.
 */
const longestSeconds = 86_400;
const mostIds = 10_000;

const step = { limits: 0, producer: 1, ids: 2, totals: 3 };

export function stepIdempotence(walker: BodyState, state: IdempotenceState): boolean {
  for (;;) {
    switch (state.phase) {
      case step.limits:
        if (!readLimits(walker, state)) return false;
        state.phase = state.producers > 0 ? step.producer : step.totals;
        break;
      case step.producer:
        if (!readProducer(walker, state)) return false;
        state.phase = step.ids;
        break;
      case step.ids:
        if (!readIds(walker, state)) return false;
        state.producers--;
        state.phase = state.producers > 0 ? step.producer : step.totals;
        break;
      default:
        return readTotals(walker, state);
    }
  }
}

function readLimits(walker: BodyState, state: IdempotenceState): boolean {
  const numbers = readNumbers(walker, 3);
  if (numbers === undefined) return false;
  const [seconds = 0n, maxIds = 0n] = numbers;
  if (walker.mode !== bodyMode.skip) {
    checkLimit(walker, seconds, longestSeconds, 'seconds that ids of producers are kept');
    checkLimit(walker, maxIds, mostIds, 'ids that are kept of a producer');
  }
  state.producers = walker.cursor.length;
  state.found = { ...noIdempotence(), seconds, maxIds };
  return true;
}

function checkLimit({ cursor }: BodyState, found: bigint, most: number, what: string): void {
  if (found >= 1n && found <= BigInt(most)) return;
  throw new Fault('corrupt', `${found} is not from 1 to ${most}, the ${what}`, cursor.offset);
}

function readProducer(walker: BodyState, state: IdempotenceState): boolean {
  const { cursor } = walker;
  const start = cursor.pos;
  if (!cursor.takeString()) return false;
  const { text, textStart, textEnd } = cursor;
  if (!cursor.readCount()) {
    cursor.pos = start;
    return false;
  }
  walker.left = cursor.length;
  if (walker.mode === bodyMode.decode) {
    state.found.producers.push({ name: Buffer.from(text.subarray(textStart, textEnd)), ids: [] });
  }
  return true;
}

function readIds(walker: BodyState, state: IdempotenceState): boolean {
  const { cursor } = walker;
  for (; walker.left > 0; walker.left--) {
    const start = cursor.pos;
    if (!cursor.takeString()) return false;
    const { text, textStart, textEnd } = cursor;
    const numbers = readNumbers(walker, 2);
    if (numbers === undefined) {
      cursor.pos = start;
      return false;
    }
    if (walker.mode !== bodyMode.decode) continue;
    const id = Buffer.from(text.subarray(textStart, textEnd));
    state.found.producers.at(-1)?.ids.push({ id, entry: `${numbers[0]}-${numbers[1]}` });
  }
  return true;
}

function readTotals(walker: BodyState, state: IdempotenceState): boolean {
  const numbers = readNumbers(walker, 2);
  if (numbers === undefined) return false;
  const [added = 0n, duplicates = 0n] = numbers;
  if (walker.mode === bodyMode.decode) {
    walker.visitor.streamIdempotence?.({ ...state.found, added, duplicates });
  }
  return true;
}

/** So many numbers in a row, or nothing when they have not all arrived. */
function readNumbers({ cursor }: BodyState, count: number): bigint[] | undefined {
  const start = cursor.pos;
  const numbers: bigint[] = [];
  while (numbers.length < count) {
    if (!cursor.readCount()) {
      cursor.pos = start;
      return undefined;
    }
    numbers.push(cursor.bigLength);
  }
  return numbers;
}
