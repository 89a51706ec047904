/** A long series of crashes in batches, each noted in a file, so that a series that was broken off goes on there. */
import { appendFile } from 'node:fs/promises';
import { readFileIfThere } from '../base/atomic-file.ts';
import type { TableSection } from '../report/page.ts';
import { type Batch, type BatchOptions, runCrashBatch } from './crash-batch.ts';
import { describeErrors } from './promises.ts';
import { spread } from './summary.ts';

export interface SeriesOptions extends Omit<BatchOptions, 'crashes' | 'logFolder'> {
  times: number;
  perBatch: number;
  /** The file with a line for each batch. */
  logFile: string;
}

/** Runs what is missing of a series. @returns all of its batches, those of earlier runs too. */
export async function runCrashSeries(options: SeriesOptions): Promise<Batch[]> {
  const { times, perBatch, logFile, report } = options;
  const batches = readBatches((await readFileIfThere(logFile)) ?? '');
  for (let done = crashesOf(batches); done < times; done = crashesOf(batches)) {
    report(`${done} of ${times} crashes are in ${logFile}`);
    const batch = await runCrashBatch({
      ...options,
      crashes: Math.min(perBatch, times - done),
      logFolder: `${logFile}.failed-after-${done}`,
    });
    await appendFile(logFile, `${JSON.stringify(batch)}\n`);
    batches.push(batch);
  }
  return batches;
}

function crashesOf(batches: readonly Batch[]): number {
  return batches.reduce((sum, { crashes }) => sum + crashes.length, 0);
}

/** A line that was cut short is of a batch that did not count. */
export function readBatches(text: string): Batch[] {
  return text.split('\n').flatMap((line) => {
    try {
      const batch = JSON.parse(line) as Batch;
      return Array.isArray(batch.crashes) ? [batch] : [];
    } catch {
      return [];
    }
  });
}

/** Whether each crash had one promotion, and nothing went wrong that was promised. */
export function seriesHolds(batches: readonly Batch[]): boolean {
  return batches.every(
    ({ crashes, lost, wrong, dropped, durability }) =>
      wrong + dropped === 0 &&
      (lost === 0 || durability === 'async') &&
      crashes.every(({ promotions, ownFailovers }) => promotions === 1 && ownFailovers === 0),
  );
}

export function seriesTable(batches: readonly Batch[]): TableSection {
  const kinds = [...new Set(batches.map(kindOf))];
  return {
    kind: 'table',
    title: 'Crashes of the primary, in a row',
    header: [
      ...[
        'machine',
        'crashes',
        'one promotion',
        'Sentinels’ own failovers',
        'writes',
        'lost',
        'wrong',
        'dropped',
      ],
      ...['gap ms: median', 'p95', 'most', 'whole again ms: median', 'errors'],
    ],
    rows: kinds.map((kind) =>
      rowOf(
        kind,
        batches.filter((batch) => kindOf(batch) === kind),
      ),
    ),
    note: 'gap: the longest time without an acknowledged write after a kill. wrong: reads that can’t have been, refused or doubled writes that are there, replicas that differ in the end.',
  };
}

function kindOf({ busy, durability, detectAfterMs }: Batch): string {
  const detects = typeof detectAfterMs === 'number' ? `, detectAfter ${detectAfterMs / 1000} s` : '';
  return `${busy ? 'busy' : 'as it was'}, ${durability}${detects}`;
}

function rowOf(kind: string, batches: readonly Batch[]): (string | number)[] {
  const crashes = batches.flatMap((batch) => batch.crashes);
  const sum = (of: (batch: Batch) => number) => batches.reduce((total, batch) => total + of(batch), 0);
  const gap = spread(crashes.map(({ gapMs }) => gapMs));
  const errors: Record<string, number> = {};
  for (const [word, count] of batches.flatMap((batch) => Object.entries(batch.errors))) {
    errors[word] = (errors[word] ?? 0) + count;
  }
  return [
    ...[kind, crashes.length, crashes.filter(({ promotions }) => promotions === 1).length],
    crashes.reduce((total, { ownFailovers }) => total + ownFailovers, 0),
    ...[sum(({ acknowledged }) => acknowledged), sum(({ lost }) => lost), sum(({ wrong }) => wrong)],
    ...[sum(({ dropped }) => dropped), gap.median, gap.p95, gap.max],
    ...[spread(crashes.map(({ healedMs }) => healedMs)).median, describeErrors(errors)],
  ];
}
