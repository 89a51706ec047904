/**
 * The copy where replication is refused: every key once by SCAN, DUMP and RESTORE, and then what changed meanwhile, until
 * nothing differs.
 *
 * 1. Where keyspace notifications can be had, they are heard from before the first key is read. What changes is read again
 *    and written, from then on and until the end.
 * 2. Passes compare both sides and write what differs. With notifications one finds what these do not tell; without, they
 *    are what catches up, and only a source that nobody writes to for the time of a pass comes to an end.
 *
 * A key is written whole, as it was at one moment. Keys that changed together are not seen together before the end.
 */
import type { ConnectionOptions } from '../../redis/connection.ts';
import { MigrateRefused } from '../errors.ts';
import { everyKey } from '../key-mapping.ts';
import { KeyReader } from '../key-reader.ts';
import type { KeySource } from '../key-source.ts';
import { KeyWriter } from '../key-writer.ts';
import { openSource } from '../open-source.ts';
import type { BothFacts } from '../server-facts.ts';
import { closeMs, verify } from '../verify/verify.ts';
import { ChangeFollower } from './change-follower.ts';
import { type CopyProgress, copyPass } from './copy-pass.ts';
import { LeftOut } from './left-out.ts';
import { anyChanged, ServerHistory } from './server-history.ts';

export interface ScanOptions {
  source: ConnectionOptions;
  target: ConnectionOptions;
  /** Write over what the target has, and keep what only it has. Else it must be empty. */
  replace: boolean;
  /** Whether notifications may be switched on at the source, and are set back afterwards. */
  notifications: boolean;
  mostPasses: number;
  say: (step: string) => void;
  onProgress: (progress: CopyProgress & { total: number }) => void;
  signal: AbortSignal;
}

export interface ScanResult {
  keys: number;
  bytes: number;
  /** Passes that compared; the last one found `differing`. */
  passes: number;
  /** Keys that differed in the last pass, but for those that were left out. 0: both sides had the same then. */
  differing: number;
  /** Why there were no notifications; null when they were heard. */
  withoutNotifications: string | null;
  leftOut: LeftOut;
  /** What may be relied on, in words. */
  guarantee: string;
}

/** @throws MIGRATE_REFUSED, REDIS_UNREACHABLE, REDIS_REFUSED */
export async function scanInto(options: ScanOptions): Promise<ScanResult> {
  const source = await openSource(options.source);
  try {
    return await new Scan(options, source).run();
  } finally {
    source.close();
  }
}

class Scan {
  readonly #options: ScanOptions;
  readonly #source: KeySource;
  readonly #leftOut = new LeftOut();
  /** Those that were found only at the target, which the copy may have put there. */
  #mayDelete = false;

  constructor(options: ScanOptions, source: KeySource) {
    this.#options = options;
    this.#source = source;
  }

  async run(): Promise<ScanResult> {
    const { target, say, notifications } = this.#options;
    const facts = await this.#preflight();
    const writer = new KeyWriter(target, facts);
    const follower = new ChangeFollower({ ...this.#options, mapping: everyKey }, facts, this.#leftOut);
    const histories = [...this.#source.primaries, target].map((each) => new ServerHistory(each));
    try {
      const why = notifications ? await follower.begin(this.#source.primaries) : 'they were not asked for';
      say(
        why === null
          ? 'changes are followed by keyspace notifications'
          : `changes are found by passes that compare: ${why}`,
      );
      await writer.begin();
      const copied = await this.#copy(writer, facts);
      const { passes, differing } = await this.#comparedUntilEqual(follower, histories, why === null);
      await follower.finish();
      return {
        ...copied,
        passes,
        differing,
        withoutNotifications: why,
        leftOut: this.#leftOut,
        guarantee: guaranteeOf(why, differing) + leftOutText(this.#leftOut),
      };
    } finally {
      await follower.end();
      for (const each of histories) each.close();
      writer.close();
    }
  }

  /** @throws MIGRATE_REFUSED when the target holds keys and nobody said that they may be written over. */
  async #preflight() {
    const { target: at, replace } = this.#options;
    const target = new KeyReader(at);
    try {
      const facts = { source: await this.#source.facts(), target: await target.facts() };
      const there = facts.target.keys;
      this.#mayDelete = there === 0;
      if (there > 0 && !replace) {
        throw MigrateRefused(`the target ${target.where} holds ${there} keys`, {
          hint: '--replace writes over those of the same names and keeps the others; or take an empty target.',
        });
      }
      return facts;
    } finally {
      target.close();
    }
  }

  async #copy(writer: KeyWriter, { source: { databases, keys: total } }: BothFacts): Promise<CopyProgress> {
    const { signal, onProgress } = this.#options;
    return copyPass(
      this.#source,
      writer,
      databases.map(({ db }) => db),
      {
        leftOut: this.#leftOut,
        mapping: everyKey,
        signal,
        onProgress: (sofar) => onProgress({ ...sofar, total }),
      },
    );
  }

  /** Passes until one finds nothing, or so many were made. */
  async #comparedUntilEqual(
    follower: ChangeFollower,
    histories: readonly ServerHistory[],
    hearsAll: boolean,
  ): Promise<{ passes: number; differing: number }> {
    const { target, mostPasses, say, signal } = this.#options;
    let differing = 0;
    for (let passes = 1; ; passes++) {
      await follower.caughtUp();
      const before = await this.#source.layout();
      await anyChanged(histories);
      differing = 0;
      await verify({
        source: this.#source,
        target,
        repair: true,
        toleranceMs: closeMs,
        keepExtra: () => !this.#mayDelete,
        signal,
        onProgress: () => {},
        onDifference: ({ db, key, left, unsettled }) => {
          // A key that changes all the time is written all the time, where every change is heard.
          if (unsettled && hearsAll) return;
          if (left !== undefined && !left.includes('differs again')) this.#leftOut.add(db, key, left);
          if (!this.#leftOut.has(db, key)) differing++;
        },
      });
      await follower.look();
      const unheard = (follower.takeMissed() && hearsAll) || (await anyChanged(histories));
      const missed = (await this.#source.layout()) !== before || unheard;
      say(
        `pass ${passes}: ${differing} keys differed${missed ? '; changes may have gone unheard meanwhile' : ''}`,
      );
      if ((differing === 0 && !missed) || passes >= mostPasses) return { passes, differing };
    }
  }
}

function guaranteeOf(why: string | null, differing: number): string {
  if (differing > 0) {
    return 'Writes go on at the source faster than they are found: stop the writers, and run it again with --replace.';
  }
  return why === null
    ? 'Every change was heard of, and both sides were compared: they had the same, but for what changed that moment, which was written too. What is written from now on is not there.'
    : 'Both sides were compared and had the same. A key that changed while it was compared may differ: to be sure, stop the writers and run it again with --replace.';
}

function leftOutText({ count }: LeftOut): string {
  if (count === 0) return '';
  return count === 1
    ? ' Not there: the one key that is named.'
    : ` Not there: the ${count} keys that are named.`;
}
