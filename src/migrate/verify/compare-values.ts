/** One key at two servers: the same, or how not. Pure. */
import { Crc64 } from '../../rdb/crc64.ts';
import { describeDifference } from '../../rdb/diff-value.ts';
import { type as rdbType } from '../../rdb/format.ts';
import { decodeBody } from '../../rdb/value.ts';
import { type DumpedValue, readDump, type ValueSum } from '../../rdb/value-sum.ts';
import { putLength } from '../../rdb/writer.ts';
import { type Expiry, leftMs } from '../expiry.ts';
import type { HeldValue } from '../key-source.ts';
import type { ComingSum } from '../long/sum-of-coming.ts';

export type Aspect = 'missing' | 'extra' | 'type' | 'value' | 'ttl';

export interface Finding {
  is: Aspect;
  how: string;
}

/** What asking two servers costs. */
export const usualToleranceMs = 1000;
/** Longer values are not looked into for a sentence. */
const longestShown = 2 ** 20;

export function compareHeld(
  source: HeldValue | null,
  target: HeldValue | null,
  sum: ValueSum,
  toleranceMs = usualToleranceMs,
): Finding | null {
  if (source === null || target === null) return oneOnly(source, target);
  if (!bytesOf(source).equals(bytesOf(target)) || 'text' in source.value !== 'text' in target.value) {
    const [one, other] = [readHeld(source), readHeld(target)];
    if (one.kind !== other.kind) return { is: 'type', how: `a ${one.kind} against a ${other.kind}` };
    const isSame = sum.of(one.type, one.flavor, one.body) === sum.of(other.type, other.flavor, other.body);
    if (!isSame) return { is: 'value', how: howTheyDiffer(one, other) };
  }
  return compareExpiry(source.expiry, target.expiry, toleranceMs);
}

/** The same of values that nobody held. */
export function compareSums(
  source: ComingSum | null,
  target: ComingSum | null,
  toleranceMs = usualToleranceMs,
): Finding | null {
  if (source === null || target === null) return oneOnly(source, target);
  const { kind } = source;
  if (kind !== target.kind) return { is: 'type', how: `a ${kind} against a ${target.kind}` };
  if (source.sum !== target.sum) return { is: 'value', how: `the ${kind}s differ` };
  return compareExpiry(source.expiry, target.expiry, toleranceMs);
}

function oneOnly(source: unknown, target: unknown): Finding | null {
  if (source === target) return null;
  return source === null
    ? { is: 'extra', how: 'only the target has it' }
    : { is: 'missing', how: 'only the source has it' };
}

/** What DUMP ends with is a checksum of the same kind: over all of it the sum of every value would be the same. */
const checksumBytes = 8;

/** Whether it has changed between two looks is seen by this. */
export function sumOf(held: HeldValue): string {
  const all = bytesOf(held);
  const bytes = 'text' in held.value ? all : all.subarray(0, -checksumBytes);
  const crc = new Crc64();
  crc.update(bytes, 0, bytes.length);
  return `${crc}`;
}

function bytesOf({ value }: HeldValue): Buffer {
  return 'text' in value ? value.text : value.payload;
}

function readHeld(held: HeldValue): DumpedValue {
  if ('payload' in held.value) return readDump(held.value.payload);
  const { text } = held.value;
  const head = Buffer.alloc(9);
  const body = Buffer.concat([head.subarray(0, putLength(head, 0, text.length)), text]);
  return { type: rdbType.string, flavor: 'redis', kind: 'string', body };
}

function compareExpiry(source: Expiry, target: Expiry, toleranceMs: number): Finding | null {
  if (source === target) return null;
  if (source !== null && target !== null && Math.abs(source - target) <= toleranceMs) return null;
  return { is: 'ttl', how: `${shown(source)} against ${shown(target)}` };
}

function shown(expiry: Expiry): string {
  return expiry === null ? 'it never expires' : `it expires in ${leftMs(expiry)} ms`;
}

function howTheyDiffer(one: DumpedValue, other: DumpedValue): string {
  if (one.body.length > longestShown || other.body.length > longestShown) return `the ${one.kind}s differ`;
  const [value, against] = [one, other].map(({ type, flavor, body }) => decodeBody(type, flavor, body));
  return describeDifference(value!, against!);
}
