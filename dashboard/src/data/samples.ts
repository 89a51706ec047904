/**
 * The history as charts need it, kept in columns that grow. Of many members their most and their mean are kept, made of each
 * sample once when it comes: to keep and to copy an hour of fifty members each second is more than a frame has time for. Pure.
 */
import type { ApiHistory } from '../../../src/api/history.ts';

type Series = readonly (number | null)[];

/** What is drawn of each member. */
export type MemberColumns = Pick<ApiHistory['members'][string], 'lagBytes' | 'memoryBytes'>;
type ByLabel = Readonly<Record<string, MemberColumns>>;

export interface Samples {
  stepMs: number;
  /** Unix ms, ascending. */
  at: readonly number[];
  deployment: ApiHistory['deployment'];
  /** By member, or of all together. */
  members: ByLabel;
  /** There were too many members for a line each. Stays so. */
  together: boolean;
}

/** More lines than that can't be told apart. */
const mostLines = 5;

/** Puts `more` behind `there`, from its first later sample on, and keeps the newest `most` samples. */
export function joinSamples(there: Samples | null, more: ApiHistory, most: number): Samples {
  if (there === null || there.stepMs !== more.stepMs) return samplesOf(more);
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
  const together = there.together || isMany({ ...there.members, ...more.members });
  const old = together && !there.together ? gathered(there.members, before) : there.members;
  const fresh = together ? gathered(more.members, more.at.length) : drawn(more.members);
  const labels = Object.keys({ ...old, ...fresh });
  return {
    stepMs: there.stepMs,
    at: [...there.at.slice(drop), ...more.at.slice(from)],
    deployment: joinAll(there.deployment, more.deployment),
    members: Object.fromEntries(labels.map((label) => [label, joinAll(old[label], fresh[label])])),
    together,
  };
}

function samplesOf({ stepMs, at, deployment, members }: ApiHistory): Samples {
  const together = isMany(members);
  return {
    ...{ stepMs, at, deployment, together },
    members: together ? gathered(members, at.length) : drawn(members),
  };
}

function isMany(members: object): boolean {
  return Object.keys(members).length > mostLines;
}

function drawn(members: ByLabel): ByLabel {
  return Object.fromEntries(
    Object.entries(members).map(([id, { lagBytes, memoryBytes }]) => [id, { lagBytes, memoryBytes }]),
  );
}

/** Of all members the most and the mean at each instant, of those that are known. */
function gathered(members: ByLabel, length: number): ByLabel {
  const all = Object.values(members);
  const lag = mostAndMean(
    all.map(({ lagBytes }) => lagBytes),
    length,
  );
  const memory = mostAndMean(
    all.map(({ memoryBytes }) => memoryBytes),
    length,
  );
  return {
    'most of any member': { lagBytes: lag.most, memoryBytes: memory.most },
    mean: { lagBytes: lag.mean, memoryBytes: memory.mean },
  };
}

/** In one pass without a list for each sample: the first answer has some thousand. */
function mostAndMean(all: readonly Series[], length: number) {
  const most: (number | null)[] = nulls(length);
  const mean: (number | null)[] = nulls(length);
  for (let index = 0; index < length; index += 1) {
    let [known, sum, highest] = [0, 0, Number.NEGATIVE_INFINITY];
    for (const values of all) {
      const value = values[index] ?? null;
      if (value === null) continue;
      known += 1;
      sum += value;
      if (value > highest) highest = value;
    }
    if (known === 0) continue;
    most[index] = highest;
    mean[index] = sum / known;
  }
  return { most, mean };
}

function nulls(length: number): null[] {
  return new Array<null>(length).fill(null);
}
