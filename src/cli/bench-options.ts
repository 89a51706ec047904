/** Reads what people write after the options of a benchmark. */
import { parseDuration } from '../base/duration.ts';
import { BadOption } from './errors.ts';

export const durabilities = ['async', 'replicated'] as const;
export const persistences = ['none', 'rdb', 'aof-everysec', 'aof-always'] as const;

export function readCount(option: string, text: string, least = 1): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least && text.trim() !== '') return value;
  throw BadOption(`${option}: '${text}' is no whole number from ${least}`, {
    hint: `For example ${option} ${Math.max(least, 10)}.`,
  });
}

/** Counts with commas between them, each at least 1. */
export function readCounts(option: string, text: string): number[] {
  return text.split(',').map((part) => readCount(option, part.trim()));
}

/** Words with commas between them, each one of `allowed`. */
export function readWords<Word extends string>(
  option: string,
  text: string,
  allowed: readonly Word[],
): Word[] {
  return text.split(',').map((part) => readWord(option, part.trim(), allowed));
}

export function readWord<Word extends string>(option: string, text: string, allowed: readonly Word[]): Word {
  const found = allowed.find((word) => word === text.toLowerCase());
  if (found !== undefined) return found;
  throw BadOption(`${option}: there is no '${text}'`, { hint: `There are ${allowed.join(', ')}.` });
}

/** Milliseconds. */
export function readDuration(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw BadOption(`${option}: '${text}' is no duration`, { hint: `For example ${option} 500ms, or 10s.` });
}

export function readPercent(option: string, text: string): number {
  const value = readCount(option, text, 0);
  if (value <= 100) return value;
  throw BadOption(`${option}: ${text} is more than all of them`, { hint: 'A whole number from 0 to 100.' });
}
