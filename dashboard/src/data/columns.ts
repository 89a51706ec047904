/** History in columns, as charts take it: what is asked for later is put behind what is there. Pure. */
import type { ApiHistory } from '../../../src/api/history.ts';

type Series = readonly (number | null)[];

/** Puts `more` behind `there`, from its first later sample on, and keeps the newest `most` samples. */
export function joinHistory(there: ApiHistory | null, more: ApiHistory, most: number): ApiHistory {
  if (there === null || there.stepMs !== more.stepMs) return more;
  const last = there.at.at(-1) ?? Number.NEGATIVE_INFINITY;
  const from = more.at.findIndex((at) => at > last);
  if (from === -1) return there;
  const drop = Math.max(0, there.at.length + (more.at.length - from) - most);
  const before = there.at.length;
  const join = (a: Series | undefined, b: Series | undefined): (number | null)[] =>
    (a ?? nulls(before)).slice(drop).concat((b ?? nulls(more.at.length)).slice(from));
  const joinAll = <T extends Record<string, Series>>(a: T | undefined, b: T | undefined): T => {
    const names = Object.keys({ ...a, ...b });
    return Object.fromEntries(names.map((name) => [name, join(a?.[name], b?.[name])])) as unknown as T;
  };
  const members = Object.keys({ ...there.members, ...more.members });
  return {
    stepMs: there.stepMs,
    at: [...there.at.slice(drop), ...more.at.slice(from)],
    deployment: joinAll(there.deployment, more.deployment),
    members: Object.fromEntries(members.map((id) => [id, joinAll(there.members[id], more.members[id])])),
  };
}

function nulls(length: number): null[] {
  return new Array<null>(length).fill(null);
}

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
