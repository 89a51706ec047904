/** What charts draw, in columns. Pure. */

type Series = readonly (number | null)[];

/** The columns between two instants, with a hole wherever samples are missing, so that no line is drawn over it. */
export function withHoles(
  at: readonly number[],
  columns: readonly Series[],
  stepMs: number,
): { at: number[]; columns: (number | null)[][] } {
  const times: number[] = [];
  const out: (number | null)[][] = columns.map(() => []);
  for (let index = 0; index < at.length; index += 1) {
    const before = at[index - 1];
    if (before !== undefined && at[index]! - before > 2.5 * stepMs) {
      times.push(before + stepMs);
      for (const column of out) column.push(null);
    }
    times.push(at[index]!);
    for (let each = 0; each < out.length; each += 1) out[each]!.push(columns[each]?.[index] ?? null);
  }
  return { at: times, columns: out };
}

/** Where samples stand with nothing on either side: a line has no length there. */
export function aloneIn(column: Series): number[] {
  const alone: number[] = [];
  const isMissing = (index: number) => (column[index] ?? null) === null;
  for (let index = 0; index < column.length; index += 1) {
    if (!isMissing(index) && isMissing(index - 1) && isMissing(index + 1)) alone.push(index);
  }
  return alone;
}
