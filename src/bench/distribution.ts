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
  return { minMs: sorted[0] ?? 0, medianMs: at(0.5), p95Ms: at(0.95), maxMs: sorted.at(-1) ?? 0 };
}

/** How often each error came, over all runs. */
export function sumErrors(runs: readonly { errors: Record<string, number> }[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { errors } of runs) {
    for (const [word, count] of Object.entries(errors)) sum[word] = (sum[word] ?? 0) + count;
  }
  return sum;
}
