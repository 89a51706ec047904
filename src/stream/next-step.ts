/** What to do at the beginning of an attempt, and behind one that ended. Pure. */
import { errorCode } from '../base/errors.ts';
import { isPassingRefusal } from './passing-refusals.ts';
import type { Place, Position } from './position.ts';

export type FirstStep =
  /** Nothing is there yet. */
  | { kind: 'begin' }
  /** A copy broke, or others wrote there: remove what is ours, then begin. */
  | { kind: 'begin-anew' }
  | { kind: 'go-on'; place: Place };

export function firstStep(position: Position | null): FirstStep {
  if (position === null) return { kind: 'begin' };
  if (position.phase !== 'streaming') return { kind: 'begin-anew' };
  const { replId, offset, db } = position;
  return { kind: 'go-on', place: { replId, offset, db } };
}

/** Of these it may be that they pass. */
const passing = new Set([
  'REPLICATION_BROKEN',
  'REDIS_UNREACHABLE',
  'STREAM_SOURCE_NOT_READY',
  'STREAM_TARGET_REFUSES',
  'STREAM_POSITION_MOVED',
  'STREAM_NEEDS_COPY',
]);
const firstPauseMs = 50;
const longestPauseMs = 2000;

/** How long to wait before the next attempt, in ms; undefined when there is no sense in one. */
export function pauseBehind(error: unknown, attemptsInVain: number): number | undefined {
  const code = errorCode(error);
  if (code === undefined || !(passing.has(code) || isPassingRefusal(error))) return undefined;
  return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attemptsInVain, 10));
}
