/**
 * How far a stream has come, as it is stored in the target: one string, under `holdfast:stream:{id}` in database 0, set
 * in the very transaction that applies what it covers.
 *
 * - `copying`: a full copy is being written. What is there of it is of no use to anybody: it is begun anew.
 * - `streaming`: everything of the source up to this offset of this history is applied, once, and nothing beyond it.
 * - `mixed`: all of it was applied, and others have written there since. It is gone on from no place: where everything there is the
 *   stream's it is removed and copied anew.
 *
 * `run` is new for each attempt, but for `whole`: the source had an end, and all of it is applied. It is new so that the
 * same place written by two of them is not the same text: what an earlier connection still has under way fails by its WATCH
 * (target-writer.ts).
 */
import { isUnder } from '../base/key-prefixes.ts';
import { StreamPositionUnreadable } from './errors.ts';

/** A place in a primary's history, behind a whole command. */
export interface Place {
  /** 40 hex digits: which history. */
  replId: string;
  /** Bytes of the stream until there, as the primary counts them. */
  offset: number;
  /** The database that is selected there: a primary does not say so again to a replica that goes on. */
  db: number;
}

export interface Position extends Place {
  phase: 'copying' | 'streaming' | 'mixed';
  run: string;
}

/** Of no history at all. */
export const nowhere: Place = { replId: '0'.repeat(40), offset: 0, db: 0 };

/** The `run` of a source that had an end. */
export const wholeRun = 'whole';

const prefix = 'holdfast:stream:';
/** What each of a stream's own keys begins with. */
export const positionPrefix = Buffer.from(prefix);
const idShape = /^[A-Za-z0-9._-]{1,64}$/;

/** The key that holds the position. @throws RangeError for an id that is no name */
export function positionKey(id: string): string {
  if (!idShape.test(id)) throw new RangeError(`'${id}' is no id of a stream`);
  return `${prefix}{${id}}`;
}

/** Whether a key is one of a stream's own, which is nobody's data. */
export function isPositionKey(key: Buffer): boolean {
  // Asked for every key that there is, nearly all of which begin with another byte.
  if (key[0] !== positionPrefix[0] || key.length <= positionPrefix.length) return false;
  return isUnder(key, positionPrefix);
}

export function encodePosition({ phase, run, replId, offset, db }: Position): string {
  return JSON.stringify({ version: 1, phase, run, replId, offset, db });
}

/** @param text what the target has; null for nothing. @throws STREAM_POSITION_UNREADABLE */
export function decodePosition(text: string | null, key: string): Position | null {
  if (text === null) return null;
  const found = parse(text);
  if (found === undefined) {
    throw StreamPositionUnreadable(`the target's key ${key} holds something that is no position`, {
      hint: 'If nothing else uses that key, delete it and what was copied, and begin anew.',
    });
  }
  return found;
}

function parse(text: string): Position | undefined {
  let value: Partial<Position> & { version?: unknown };
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || value.version !== 1) return undefined;
  const { phase, run, replId, offset, db } = value;
  if (phase !== 'copying' && phase !== 'streaming' && phase !== 'mixed') return undefined;
  if (typeof run !== 'string' || typeof replId !== 'string' || !/^[0-9a-f]{40}$/.test(replId))
    return undefined;
  if (!isCount(offset) || !isCount(db)) return undefined;
  return { phase, run, replId, offset, db };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
