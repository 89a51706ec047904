/**
 * What holdfast promises of a failure, each as a sentence and a check of what was found. Pure. A scenario lists those
 * that it is about.
 */
import { describeDuration } from '../base/duration.ts';
import type { Durability } from '../testbed/testbed.ts';
import type { Finding } from './finding.ts';

export interface DrillPromise {
  /** In the present tense: what holds. */
  sentence: string;
  /** Why it says nothing of Sentinel without holdfast, as a cell of a table. */
  notPlain?: string;
  check(finding: Finding): Verdict;
}

export interface Verdict {
  held: boolean;
  found: string;
}

export interface Judgement extends Verdict {
  promise: string;
  notPlain?: string;
}

export function judge(promises: readonly DrillPromise[], finding: Finding): Judgement[] {
  return promises.map(({ sentence, notPlain, check }) => ({
    promise: sentence,
    ...check(finding),
    ...(notPlain === undefined ? {} : { notPlain }),
  }));
}

/** What a failover that nobody asked for is promised to be, of each scenario that takes the primary away. */
export function oneFailover({ durability }: { durability: Durability }): DrillPromise[] {
  return [promotions(1), ...(durability === 'replicated' ? [nothingLost] : []), noDrops, onlyUncertain];
}

/** No drill is without these: what is read and said is true, and everyone ends up with the same data. */
export const alwaysPromised: readonly DrillPromise[] = [
  {
    sentence: 'no read sees what was never written, was refused, or has been overtaken',
    check: ({ anomalies: { stale, refused, impossible }, reads }) => ({
      held: stale + refused + impossible === 0,
      found:
        stale + refused + impossible === 0
          ? `${reads} reads, all possible`
          : `${stale} stale, ${refused} of refused writes, ${impossible} impossible`,
    }),
  },
  {
    sentence: 'an error means that the write was not applied, and no write is applied twice',
    check: ({ account: { presentRefused, duplicated, failed } }) => ({
      held: presentRefused.length + duplicated.length === 0,
      found: `${presentRefused.length} of ${failed} refused writes are there, ${duplicated.length} twice`,
    }),
  },
  {
    sentence: 'it heals, and every replica then holds what the primary holds',
    check: ({ healedMs, differing }) => ({
      held: healedMs !== null && differing.length === 0,
      found:
        healedMs === null
          ? 'it did not heal'
          : differing.length === 0
            ? `whole again after ${describeDuration(healedMs)}, all alike`
            : differing.map(({ member, keys }) => `${member} differs in ${keys.length} keys`).join(', '),
    }),
  },
];

export function promotions(count: number): DrillPromise {
  const words = ['nobody is promoted', 'exactly one replica is promoted'];
  return {
    sentence: words[count] ?? `exactly ${count} promotions`,
    check: ({ promotions: found }) => ({
      held: found.length === count,
      found: found.map(({ member }) => member).join(', then ') || 'nobody',
    }),
  };
}

export const nothingLost: DrillPromise = {
  sentence: 'no acknowledged write is lost',
  check: ({ lost, account: { acknowledged } }) => ({
    held: lost === 0,
    found: `${lost} of ${acknowledged} lost`,
  }),
};

export const noDrops: DrillPromise = {
  sentence: 'no connection is dropped',
  check: ({ droppedConnections }) => ({
    held: droppedConnections === 0,
    found: `${droppedConnections} dropped`,
  }),
};

export const noErrors: DrillPromise = onlyErrors('no client sees an error', []);

/** Writes that the dead primary had not answered yet: nobody can know. */
export const onlyUncertain: DrillPromise = onlyErrors(
  'the only error is UNCERTAIN, for writes that were with the lost primary',
  ['UNCERTAIN'],
);

export function onlyErrors(sentence: string, allowed: readonly string[]): DrillPromise {
  return {
    sentence,
    check: ({ errors, readErrors }) => {
      const all = sumCounts(errors, readErrors);
      const others = Object.keys(all).filter((word) => !allowed.includes(word));
      return { held: others.length === 0, found: describeErrors(all) };
    },
  };
}

export function waitsAtMost(limitMs: number, why: string): DrillPromise {
  return {
    sentence: `no client waits longer than ${describeDuration(limitMs)} (${why})`,
    check: ({ longestWaitMs }) => ({
      held: longestWaitMs <= limitMs,
      found: `longest wait ${describeDuration(longestWaitMs)}`,
    }),
  };
}

/** A Sentinel that gives up on the primary, or stands itself, may promote another replica: the margin is watched too. */
export const noSecondFailover: DrillPromise = {
  sentence: 'no Sentinel gives the primary up, or begins a failover of its own',
  notPlain: 'makes no sense here: two must give it up, or nothing happens',
  check: ({ steps }) => {
    const early = steps.filter(({ kind, afterMs }) => kind === '+sdown' && afterMs > 0);
    const tries = steps.filter(({ kind, afterMs }) => kind === '+try-failover' && afterMs > 0).length;
    const given = early
      .map(({ source, afterMs }) => `${source} after ${describeDuration(afterMs)}`)
      .join(', ');
    return {
      held: early.length === 0 && tries === 0,
      found: early.length === 0 ? `none gave up, ${tries} failovers of their own` : `gave up: ${given}`,
    };
  },
};

/** @param limitMs `minReplicasMaxLag`, and a second for Redis to look and one for it to be rounded. */
export function cutOffTakesNoneAfter(limitMs: number): DrillPromise {
  return {
    sentence: `the primary that is cut off takes no write after ${describeDuration(limitMs)}`,
    check: ({ cutOff }) => {
      const lastMs = cutOff?.lastAcknowledgedAfterMs ?? 0;
      const word = cutOff?.acknowledged ? `the last after ${describeDuration(lastMs)}` : 'none';
      return { held: lastMs <= limitMs, found: `${cutOff?.acknowledged ?? 0} taken, ${word}` };
    },
  };
}

/** With `onSplit: serve` what the replaced lead had alone is put aside before it is emptied. */
export const divergedKept: DrillPromise = {
  sentence: 'what only the lead that was replaced had is kept in a file',
  check: ({ lost, steps }) => {
    const told = steps.filter(({ kind }) => kind === 'mirror-diverged').length;
    return { held: lost === 0 || told > 0, found: `${lost} lost, ${told} files` };
  },
};

export function describeErrors(errors: Record<string, number>): string {
  const list = Object.entries(errors).map(([word, count]) => `${word} ${count}`);
  return list.join(', ') || 'none';
}

function sumCounts(a: Record<string, number>, b: Record<string, number>): Record<string, number> {
  const sum = { ...a };
  for (const [word, count] of Object.entries(b)) sum[word] = (sum[word] ?? 0) + count;
  return sum;
}
