/**
 * The change from the old servers to the new: no write is lost, and none is taken by both sides.
 *
 * 1. Every stream follows, and is not far behind. Else nothing is done. Gates before the old servers hold their writers.
 * 2. CLIENT PAUSE … WRITE at every source: writers wait from here on. It is renewed for as long as that takes; where it has
 *    run out in between, they may have written, and the change is given up.
 * 3. Where each source's history stands then is where its stream must come.
 * 4. The keys that do not expire are counted on both sides, where the target holds nothing else.
 * 5. The streams end, and gates let their writers go on at the target. The sources stay paused, renewed again and again, until
 *    the change is finished or undone, or their users may not write (back/): a client that still writes to the old side waits,
 *    or is refused, and is never told that it wrote.
 *
 * What goes wrong until then ends the pause, and everything is as before.
 */

import { errorText } from '../base/errors.ts';
import type { Caller } from '../redis/connection.ts';
import { keyspaces, parseInfo } from '../redis/info.ts';
import { isPositionKey, positionPrefix } from '../stream/position.ts';
import { CutOverNotNow } from './errors.ts';
import type { FollowedSource } from './followed-source.ts';
import { rightLackedBy } from './rights.ts';
import { withoutHold } from './source-rights.ts';

export interface CutOverResult {
  /** How long writers waited: from the first hold until everything was applied and compared, and gates moved, in ms. */
  heldMs: number;
  /** Why a gate was not moved, for each that was not: its clients wait. */
  notMoved: string[];
  /** Why the old side does not follow the new one; null when it does. */
  notFollowed: string | null;
  /** Keys that do not expire; null where they can't be compared. */
  keys: { sources: number; target: number } | null;
}

export interface CutOverOptions {
  sources: readonly FollowedSource[];
  target: Caller;
  /** How many keys of the target are streams' own; null where the copy leaves out what each side has of them. */
  positions: number | null;
  /** Compare the number of keys. */
  compares: boolean;
  /** Longest time that writers may wait until everything is applied, in ms. */
  withinMs: number;
  /** How long each pause is, and how often it is renewed. */
  pace?: PausePace;
}

interface PausePace {
  pauseMs: number;
  renewEveryMs: number;
}

/** How long the sources stay paused when this process ends before it can renew that. */
const pauseMs = 30_000;
const renewEveryMs = 5000;
/** A stream that is further behind would let writers wait for too long. */
const nearBytes = 8 * 2 ** 20;
const scannedAtATime = 10_000;

/** @returns the keys that were counted. @throws CUT_OVER_NOT_NOW, and then nothing has changed */
export async function cutOver(options: CutOverOptions): Promise<CutOverResult['keys']> {
  const { sources } = options;
  for (const source of sources) await checkNear(source);
  const connections = (
    await Promise.all(sources.map((source) => asked(source, source.connections())))
  ).flat();
  const begin = performance.now();
  const pause = new Pause(connections, options.pace);
  try {
    await pause.begin();
    await Promise.all(sources.map((source) => source.drain(begin + options.withinMs)));
    const keys = options.compares ? await compareKeys(connections, options.target, options.positions) : null;
    await pause.lasted();
    return keys;
  } catch (cause) {
    await pause.stop();
    await releaseAll(connections);
    throw CutOverNotNow(`the cut-over was given up: ${errorText(cause)}`, { hint: hintBehind(cause), cause });
  }
}

/** What may be done about it. */
function hintBehind(cause: unknown): string {
  const asBefore = 'Writers go on at the old side, and nothing has changed.';
  const lacked = rightLackedBy(cause);
  if (lacked === undefined) return `${asBefore} Try again when holdfast migrate status shows no lag.`;
  const withRight =
    lacked.rule === null
      ? 'That server lets nobody do it'
      : `Trying again helps when the user has that right, as ACL SETUSER USER ${lacked.rule} gives it`;
  return `${asBefore} ${withRight}. Without it, ${withoutHold}.`;
}

/** @throws CUT_OVER_NOT_NOW when it gives no answer */
async function asked<T>(source: FollowedSource, answer: Promise<T>): Promise<T> {
  return await answer.catch((cause: unknown) => {
    throw CutOverNotNow(`${source.name} can't be asked: ${errorText(cause)}`, {
      hint: 'Nothing has changed. It is followed again when it answers; holdfast migrate abort gives the migration up.',
      cause,
    });
  });
}

async function checkNear(source: FollowedSource): Promise<void> {
  await asked(source, source.look());
  const { phase, appliedOffset, lagBytes, problem } = source.progress();
  if (phase === 'done') return;
  if (phase !== 'following') {
    throw CutOverNotNow(
      `${source.name} is not followed yet: ${phase}${problem === null ? '' : ` (${problem})`}`,
      {
        hint: 'Wait until holdfast migrate status shows it following.',
      },
    );
  }
  // Of what is read by scan nobody can tell how far behind it is, but by the time that it takes.
  if (appliedOffset === null || (lagBytes !== null && lagBytes <= nearBytes)) return;
  throw CutOverNotNow(`the target is ${lagBytes} bytes behind ${source.name}`, {
    hint: 'Wait until it has caught up: writers would have to wait for all of it.',
  });
}

async function pauseWrites(source: Caller, forMs: number): Promise<void> {
  await source.call('CLIENT', 'PAUSE', forMs, 'WRITE');
}

/** Keeps the writers waiting until the change is made, and knows whether they did all the time. */
class Pause {
  readonly #sources: readonly Caller[];
  readonly #pace: PausePace;
  #timer: NodeJS.Timeout | undefined;
  /** When the pause was asked for that all sources have: it lasts from then on at least. */
  #askedMs = Number.POSITIVE_INFINITY;
  #renewing: Promise<void> = Promise.resolve();
  #problem: Error | undefined;

  constructor(sources: readonly Caller[], pace: PausePace = { pauseMs, renewEveryMs }) {
    this.#sources = sources;
    this.#pace = pace;
  }

  async begin(): Promise<void> {
    await this.#renew();
    if (this.#problem !== undefined) throw this.#problem;
    this.#timer = setInterval(() => void this.#renew(), this.#pace.renewEveryMs);
  }

  /** Ends the renewing, with one more. @throws when writers may have gone on in between */
  async lasted(): Promise<void> {
    await this.stop();
    await this.#renew();
    if (this.#problem !== undefined) throw this.#problem;
  }

  /** None is asked for behind it. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
  }

  #renew(): Promise<void> {
    this.#renewing = this.#renewing.then(() => this.#pauseAll());
    return this.#renewing;
  }

  async #pauseAll(): Promise<void> {
    const askedMs = performance.now();
    try {
      await Promise.all(this.#sources.map((each) => pauseWrites(each, this.#pace.pauseMs)));
    } catch (error) {
      this.#problem ??= new Error(
        `writers may have gone on, who can't be kept waiting: ${errorText(error)}`,
        {
          cause: error,
        },
      );
    }
    if (performance.now() - this.#askedMs >= this.#pace.pauseMs)
      this.#problem ??= new Error('writers may have gone on: the pause was not renewed in time');
    this.#askedMs = askedMs;
  }
}

/** Keys that expire may be gone on one side already. @param positions as `CutOverOptions` has it */
async function compareKeys(
  sources: readonly Caller[],
  target: Caller,
  positions: number | null,
): Promise<{ sources: number; target: number }> {
  let there = sum(await Promise.all(sources.map(lastingKeys)));
  let here = (await lastingKeys(target)) - (positions ?? 0);
  // To find them takes longer than to count, and hardly anybody has one.
  if (here !== there && positions === null) {
    there -= sum(await Promise.all(sources.map(lastingPositions)));
    here -= await lastingPositions(target);
  }
  if (here === there) return { sources: there, target: here };
  throw new Error(`of keys that do not expire there are ${there} at the old side and ${here} at the target`);
}

async function lastingKeys(server: Caller): Promise<number> {
  const spaces = keyspaces(parseInfo(String(await server.call('INFO', 'keyspace'))));
  return spaces.reduce((sum, { keys, expiring }) => sum + keys - expiring, 0);
}

/** How many of a server's keys are streams' own, and do not expire. */
async function lastingPositions(server: Caller): Promise<number> {
  let found = 0;
  for (const { db } of keyspaces(parseInfo(String(await server.call('INFO', 'keyspace'))))) {
    // A Redis Cluster has one database, and no SELECT.
    if (db !== 0) await server.call('SELECT', db);
    try {
      for (const key of await positionsIn(server)) if (Number(await server.call('PTTL', key)) === -1) found++;
    } finally {
      if (db !== 0) await server.call('SELECT', 0);
    }
  }
  return found;
}

async function positionsIn(server: Caller): Promise<Set<string>> {
  const keys = new Set<string>();
  const match = ['MATCH', `${positionPrefix.toString()}*`, 'COUNT', scannedAtATime] as const;
  let cursor = '0';
  do {
    const [next, page] = (await server.call('SCAN', cursor, ...match)) as [string, string[]];
    for (const key of page) if (isPositionKey(Buffer.from(key))) keys.add(key);
    cursor = next;
  } while (cursor !== '0');
  return keys;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

async function releaseAll(sources: readonly Caller[]): Promise<void> {
  // One that can't be reached ends its pause by itself.
  await Promise.allSettled(sources.map((each) => each.call('CLIENT', 'UNPAUSE')));
}

/** What is told of a source that could not be told to let its writers go on. */
export function untilPauseEnds(source: string, error: unknown): string {
  return `${source} takes writes again within ${pauseMs / 1000} s only: ${errorText(error)}`;
}

/** Keeps the sources' writers waiting. */
export class Hold {
  readonly #sources: readonly FollowedSource[];
  readonly #timer: NodeJS.Timeout;
  /** Why a source could not be told last; null when all were. */
  problem: string | null = null;

  constructor(sources: readonly FollowedSource[]) {
    this.#sources = sources;
    this.#timer = setInterval(() => void this.renew(), renewEveryMs);
  }

  async renew(): Promise<void> {
    this.problem = null;
    for (const source of this.#sources) {
      await source
        .connections()
        .then((all) => Promise.all(all.map((each) => pauseWrites(each, pauseMs))))
        .catch((error: unknown) => {
          this.problem = `${source.name} can't be kept from taking writes: ${errorText(error)}`;
        });
    }
  }

  /** Lets writers go on at the sources. @returns why those of a source do so only when the pause ends, for each that can't be told */
  async release(): Promise<string[]> {
    clearInterval(this.#timer);
    const late: string[] = [];
    for (const source of this.#sources) {
      try {
        for (const each of await source.connections()) await each.call('CLIENT', 'UNPAUSE');
      } catch (error) {
        late.push(untilPauseEnds(source.name, error));
      }
    }
    return late;
  }

  /**
   * Ends it so that the sources take no writes any more: writers get NOREPLICAS.
   * @returns why a source could not be closed, for each that could not
   */
  async close(): Promise<string[]> {
    clearInterval(this.#timer);
    const open: string[] = [];
    for (const source of this.#sources) {
      try {
        for (const each of await source.connections()) {
          await each.call('CONFIG', 'SET', 'min-replicas-to-write', '1000000');
          await each.call('CLIENT', 'UNPAUSE');
        }
      } catch (error) {
        open.push(`${source.name}: ${errorText(error)}`);
      }
    }
    return open;
  }

  /** Leaves the sources paused as long as they still are. */
  stop(): void {
    clearInterval(this.#timer);
  }
}
