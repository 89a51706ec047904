import { defineError, type HoldfastError } from '../base/errors.ts';
import type { Fault, FaultKind } from './fault.ts';

const Corrupt = defineError('RDB_CORRUPT', 1);
const Truncated = defineError('RDB_TRUNCATED', 1);
const Unsupported = defineError('RDB_UNSUPPORTED', 1);
const TooLarge = defineError('RDB_TOO_LARGE', 1);
export const RdbConflict = defineError('RDB_CONFLICT', 1);
export const RdbTargetUnknown = defineError('RDB_TARGET_UNKNOWN', 2);

/** Where a file is bad, and why. */
export interface RdbProblem {
  kind: FaultKind | 'empty';
  /** Bytes from the start of the RDB, uncompressed. */
  offset: number;
  reason: string;
  db?: number;
  key?: Buffer;
}

export type RdbError = HoldfastError & { problem: RdbProblem };

const makers = { corrupt: Corrupt, truncated: Truncated, unsupported: Unsupported, 'too-large': TooLarge };

const hints = {
  corrupt: 'The bytes are not what was written: take the file again from its source, or another copy.',
  truncated: 'The file ends too early: the copy was interrupted, or the disk was full. Take it again.',
  unsupported:
    'A newer holdfast may read it; a server of the release that wrote it does. Pre-releases wrote forms that nothing reads any more.',
  'too-large':
    'verify, merge, split and filter pass a value of any length through. What must be seen whole has a bound: docs/rdb.md has them.',
};

/** The error for a fault, with the key under way when there is one. */
export function rdbError(fault: Fault, db?: number, key?: Buffer): RdbError {
  const problem: RdbProblem = { kind: fault.kind, offset: fault.offset, reason: fault.message };
  if (key !== undefined) Object.assign(problem, { db, key });
  const error = makers[fault.kind](describeProblem(problem), { hint: hints[fault.kind], cause: fault });
  return Object.assign(error, { problem });
}

/** `byte 1234, database 0, key 'user:1': the reason` */
export function describeProblem(problem: RdbProblem): string {
  const where =
    problem.key === undefined ? '' : `, database ${problem.db ?? 0}, key ${quoteKey(problem.key)}`;
  return `byte ${problem.offset}${where}: ${problem.reason}`;
}

/** The problem that an error tells of, when a reader of RDB files threw it. */
export function problemOf(error: unknown): RdbProblem | undefined {
  return error instanceof Error && 'problem' in error ? (error.problem as RdbProblem) : undefined;
}

/** A key for people: quoted, bytes outside printable ASCII as \xNN, and no longer than 120 characters. */
export function quoteKey(key: Uint8Array): string {
  let text = '';
  for (const byte of key.subarray(0, 120)) {
    if (byte === 0x27 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return key.length > 120 ? `'${text}…' (${key.length} bytes)` : `'${text}'`;
}
