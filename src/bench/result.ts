/** What every benchmark gives: its figures as data, as a page for people, and each measurement as a row. */
import type { Page, Section } from '../report/page.ts';
import { type Machine, machineSentence } from './machine.ts';

export interface BenchResult {
  /** For `--json`. */
  data: BenchHead & Record<string, unknown>;
  page: Page;
  csv: { header: readonly string[]; rows: readonly (readonly (string | number)[])[] };
}

export interface BenchHead {
  bench: string;
  /** The command that makes this table again. */
  command: string;
  /** When it began, ISO 8601. */
  at: string;
  machine: Machine;
}

/** What every benchmark is told besides its own options. */
export interface BenchContext {
  /** The command line, for the report. */
  command: string;
  machine: Machine;
  report: (line: string) => void;
  signal: AbortSignal;
}

export function headOf(bench: string, { command, machine }: BenchContext): BenchHead {
  return { bench, command, at: new Date().toISOString(), machine };
}

export function pageOf(head: BenchHead, title: string, sections: readonly Section[], notes: string[]): Page {
  const warning = head.machine.warning === null ? [] : [`Mind that ${head.machine.warning}.`];
  return {
    title,
    subtitle: `${head.command} — ${machineSentence(head.machine)}; ${head.at}`,
    sections: [
      ...sections,
      { kind: 'text', title: 'What this shows, and what it does not', paragraphs: [...warning, ...notes] },
    ],
  };
}

/** `1 round`, `3 rounds`. */
export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
