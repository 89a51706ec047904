/**
 * The section of time that is looked at, as it stands in the address of the page: so it can be sent to somebody, is there
 * again after a reload, and "back" leads to the one before. `#/time?last=1h` goes on with time,
 * `#/time?from=…&to=…` stays (ISO 8601, UTC). Pure.
 */
import type { HistoryStep } from '../data/use-history.ts';
import type { Range } from './time-chart.tsx';

export interface Section {
  spanMs: number;
  /** The end of what is looked at; null: now, and it goes on. */
  endMs: number | null;
}

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const shortestMs = 2000;
const longestMs = 7 * unitMs.d;
/** Some way from where dates end. */
const latestMs = Date.UTC(3000, 0);

export const usualSection: Section = { spanMs: 15 * unitMs.m, endMs: null };

/** @param query of the address. What makes no sense is taken as if it were not there. */
export function parseSection(query: URLSearchParams): Section {
  return rangeIn(query) ?? lengthIn(query) ?? usualSection;
}

/** Whether it names a time that can't be shown: something else is shown then. */
export function namesNoSection(query: URLSearchParams): boolean {
  if (query.has('from') || query.has('to')) return rangeIn(query) === null;
  return query.has('last') && lengthIn(query) === null;
}

function rangeIn(query: URLSearchParams): Section | null {
  const [fromMs, toMs] = [Date.parse(query.get('from') ?? ''), Date.parse(query.get('to') ?? '')];
  const isOne = isSpan(toMs - fromMs) && fromMs >= 0 && toMs <= latestMs;
  return isOne ? { spanMs: toMs - fromMs, endMs: toMs } : null;
}

function lengthIn(query: URLSearchParams): Section | null {
  const [, number = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(query.get('last') ?? '') ?? [];
  const spanMs = Number(number) * (unitMs[unit as keyof typeof unitMs] ?? Number.NaN);
  return isSpan(spanMs) ? { spanMs, endMs: null } : null;
}

/** The address that shows it. */
export function addressOf({ spanMs, endMs }: Section): string {
  if (endMs !== null) return addressOfRange({ fromMs: endMs - spanMs, toMs: endMs });
  if (spanMs === usualSection.spanMs) return '#/time';
  const seconds = Math.round(spanMs / unitMs.s) * unitMs.s;
  const unit = (['d', 'h', 'm'] as const).find((each) => seconds % unitMs[each] === 0) ?? 's';
  return `#/time?last=${seconds / unitMs[unit]}${unit}`;
}

export function addressOfRange({ fromMs, toMs }: Range): string {
  const [from, to] = [fromMs, toMs].map((ms) => new Date(Math.round(ms)).toISOString());
  return `#/time?from=${from}&to=${to}`;
}

/** Seconds are kept for an hour. */
const askedBack: readonly (readonly [step: HistoryStep, backMs: number])[] = [
  ['1s', 6 * unitMs.m],
  ['1s', 16 * unitMs.m],
  ['1s', 61 * unitMs.m],
  ['1m', 25 * unitMs.h],
  ['1m', longestMs + unitMs.h],
];

/** How much history it needs: of a large deployment an hour is megabytes. A few lengths only, so that it is seldom asked anew. */
export function askedFor({ spanMs, endMs }: Section, nowMs: number): { step: HistoryStep; backMs: number } {
  const neededMs = nowMs - (endMs ?? nowMs) + spanMs;
  const [step, backMs] = askedBack.find(([, each]) => neededMs <= each - unitMs.m) ?? askedBack.at(-1)!;
  return { step, backMs };
}

/** Half of it further back. @param toMs where what is shown ends now */
export function earlier({ spanMs }: Section, toMs: number): Section {
  return { spanMs, endMs: toMs - spanMs / 2 };
}

/** Half of it further on; once it reaches now, it goes on with time. */
export function later({ spanMs }: Section, toMs: number, nowMs: number): Section {
  const endMs = toMs + spanMs / 2;
  return { spanMs, endMs: endMs >= nowMs ? null : endMs };
}

function isSpan(ms: number): boolean {
  return ms >= shortestMs && ms <= longestMs;
}
