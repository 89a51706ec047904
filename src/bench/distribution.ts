import { dictionary } from '../base/dictionary.ts';

/** Milliseconds over several runs. */
export interface Distribution {
  minMs: number;
  medianMs: number;
  p95Ms: number;
  maxMs: number;
}

export function describe(valuesMs: readonly number[]): Distribution {
  const sorted = valuesMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { minMs: sorted[0] ?? 0, medianMs: median(valuesMs), p95Ms: at(0.95), maxMs: sorted.at(-1) ?? 0 };
}

/** The middle one, or the mean of the two in the middle; 0 for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/**
 * How far repeated measurements lie apart, for a reader to judge differences by: `between the rounds, …`.
 * @param cells the repeated values of each cell of a table
 */
export function spreadSentence(cells: readonly (readonly number[])[]): string {
  const spreads = cells
    .filter((values) => values.length > 1)
    .map((values) => (Math.max(...values) - Math.min(...values)) / (median(values) || 1));
  if (spreads.length === 0)
    return 'Each was measured once: how far repeated measurements would lie apart is not known.';
  const percent = (share: number) => `${Math.round(share * 100)}%`;
  return `Between the rounds the throughput of one cell differed by ${percent(median(spreads))} of its median typically, and by ${percent(Math.max(...spreads))} at worst: differences smaller than that say little.`;
}

/** How often each error came, over all runs. */
export function sumErrors(runs: readonly { errors: Record<string, number> }[]): Record<string, number> {
  const sum = dictionary<number>();
  for (const { errors } of runs) {
    for (const [word, count] of Object.entries(errors)) sum[word] = (sum[word] ?? 0) + count;
  }
  return sum;
}

/** `UNCERTAIN 2, NOPRIMARY 1`, or `none`. */
export function errorWords(errors: Record<string, number>): string {
  const words = Object.entries(errors).map(([word, times]) => `${word} ${times}`);
  return words.join(', ') || 'none';
}
