import { shown } from '../base/shown.ts';
import type { Output } from './output.ts';

/** A line of a process's log: when (ISO), whose, what. */
export interface LoggedLine {
  at: string;
  process: string;
  text: string;
}

/** By time; lines of one moment stay as they came. */
export function inOrder(lines: readonly LoggedLine[]): LoggedLine[] {
  return lines.toSorted((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
}

/** Prints each line at once: as columns for people, as a line of JSON where a command goes on. */
export function printer(output: Output): (line: LoggedLine) => void {
  const { dim, cyan } = output.colors;
  return ({ at, process: whose, text }) => {
    output.line(`${dim(shown(at, 30))} ${cyan(shown(whose, 80).padEnd(11))} ${shown(text, 4000)}`);
  };
}

/** The same for `--follow --json`, which has no end that a document could have. */
export function followPrinter(output: Output): (line: LoggedLine) => void {
  if (!output.json) return printer(output);
  return (line) => output.dataLine(line);
}

/** Undefined for anything else. */
export function parseLoggedLine(value: unknown): LoggedLine | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { at, process: whose, text } = value as Record<string, unknown>;
  if (typeof at !== 'string' || typeof whose !== 'string' || typeof text !== 'string') return undefined;
  return Number.isNaN(Date.parse(at)) ? undefined : { at, process: whose, text };
}
