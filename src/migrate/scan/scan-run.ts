/**
 * A source of a migration that is read by scan: a copy, then what changes, until it is changed over.
 *
 * Nothing is remembered of how far it was: behind a crash, or a connection that broke, everything is copied again over what is
 * there, and then compared. So it may end at any moment.
 *
 * - With notifications every change is heard, and written within moments: a cut-over waits for those only.
 * - Without, passes that compare follow one another. At the cut-over the one that is under way is broken off, and one more is made
 *   while the writers wait: what that repairs stays the same.
 *
 * What was deleted at the source is deleted at the target where the notifications tell of it; a pass deletes what only the
 * target has in those databases, under that prefix, that held nothing when the migration began.
 */
import { type Clock, systemClock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import { pause } from '../../base/retry.ts';
import type { Kind } from '../../rdb/format.ts';
import { type ConnectionOptions, RedisConnection } from '../../redis/connection.ts';
import { describeEndpoint } from '../../redis/endpoint.ts';
import { Attempts } from '../../stream/attempts.ts';
import { Pace } from '../../stream/pace.ts';
import { describeSource, findSource, type SourceAddress } from '../../stream/source-address.ts';
import type { SourcePlace } from '../../stream/source-reader.ts';
import type { TargetPlace } from '../../stream/target-writer.ts';
import { MigrateRefused } from '../errors.ts';
import type { FollowedSource } from '../followed-source.ts';
import type { KeyMapping } from '../key-mapping.ts';
import { KeyReader } from '../key-reader.ts';
import type { KeySource } from '../key-source.ts';
import { KeyWriter } from '../key-writer.ts';
import { openSource } from '../open-source.ts';
import type { SourceProgress } from '../progress.ts';
import type { BothFacts } from '../server-facts.ts';
import type { TargetLag } from '../target-lag.ts';
import { closeMs, verify } from '../verify/verify.ts';
import { ChangeFollower } from './change-follower.ts';
import { copyPass } from './copy-pass.ts';
import { LeftOut } from './left-out.ts';
import { ServerHistory } from './server-history.ts';
import { SourceWatch } from './source-watch.ts';
import { TimeLeft } from './time-left.ts';

export interface ScanRunOptions {
  name: string;
  source: SourceAddress;
  target: TargetPlace;
  mapping: KeyMapping;
  /** Of which keys are carried; all, if empty. */
  types: readonly Kind[];
  /** Kept to before anything is written. */
  lag: TargetLag | undefined;
  /** Databases of the target whose keys under the prefix are all ours; null for all of them. */
  owned: readonly number[] | null;
  /** Bytes a second; 0 for as much as there is. */
  maxRate: number;
  clock?: Clock;
}

const askMs = 5000;
const betweenPassesMs = 1000;

/** What is under way, from one connection to the next. */
interface Attempt {
  source: KeySource;
  follower: ChangeFollower;
  watch: SourceWatch;
  /** Null when every change is heard. */
  why: string | null;
}

export class ScanRun implements FollowedSource {
  readonly #options: ScanRunOptions;
  readonly #clock: Clock;
  readonly #pace: Pace;
  readonly #leftOut = new LeftOut();
  #phase: SourceProgress['phase'] = 'connecting';
  #problem: string | null = null;
  #at: string;
  #keys = 0;
  #bytes = 0;
  #copyBeganMs = 0;
  #copyLeft: TimeLeft | undefined;
  #comparison = { done: 0, of: 0, beganMs: 0 };
  #attempt: Attempt | undefined;
  #passes: Promise<unknown> = Promise.resolve();
  /** What is there is known when both sides were compared; a comparison that is broken off is owed still. */
  #owed = false;
  /** Breaks off the comparison that goes on while clients write. */
  #beside = new AbortController();
  readonly #attempts = new Attempts();
  readonly #connections = new Map<string, RedisConnection>();
  readonly #target: ServerHistory;

  constructor(options: ScanRunOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#pace = new Pace(options.maxRate, this.#clock);
    this.#at = describeSource(options.source);
    this.#target = new ServerHistory(options.target);
  }

  get name(): string {
    return this.#options.name;
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        try {
          await this.#follow(signal);
        } catch (error) {
          if (signal.aborted) return;
          await this.#attempts.waitBehind(error, signal, () => {
            this.#phase = 'waiting';
            this.#problem = errorText(error);
          });
        }
      }
    } finally {
      this.#phase = 'ended';
    }
  }

  async connections(): Promise<RedisConnection[]> {
    const source = await openSource(optionsOf(await this.#find()));
    source.close();
    return source.primaries.map((place) => {
      const where = describeEndpoint(place.endpoint);
      const known = this.#connections.get(where) ?? new RedisConnection({ ...place, timeoutMs: askMs });
      this.#connections.set(where, known);
      return known;
    });
  }

  async look(): Promise<void> {}

  async drain(deadline: number): Promise<void> {
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(deadline - performance.now())));
    const attempt = this.#attempt;
    if (attempt === undefined) throw new Error(`${this.name} is not followed at the moment`);
    try {
      if (attempt.why === null) await attempt.follower.drained(signal);
      await attempt.watch.check();
      if (!(await this.#needsPass(attempt))) return;
      this.#beside.abort(new Error('writers wait for a comparison'));
      await this.#compared(() => this.#untilEqual(attempt, signal, 'held'));
    } catch (error) {
      if (signal.aborted)
        throw new Error(`what ${this.name} holds was not compared in time`, { cause: error });
      throw error;
    }
  }

  async confirm(): Promise<void> {
    if (await this.#target.hasChanged())
      throw new Error('the target has another primary, which may lack what was written last');
  }

  progress(): SourceProgress {
    const seconds = (this.#clock.monotonicMs() - this.#copyBeganMs) / 1000;
    const isCopying = this.#phase === 'copying' && seconds > 0.5;
    return {
      ...{ source: this.name, at: this.#at, phase: this.#phase, keys: this.#keys, bytes: this.#bytes },
      totalBytes: null,
      bytesPerSecond: isCopying ? Math.round(this.#bytes / seconds) : 0,
      secondsLeft: this.#secondsLeft(),
      ...{ commands: 0, appliedOffset: null, sourceOffset: null, lagBytes: null, lagSeconds: null },
      problem: this.#problem ?? this.#leftOutText(),
    };
  }

  /** Of the copy, or of the comparison behind it; null when nobody can tell. */
  #secondsLeft(): number | null {
    if (this.#phase === 'copying') return this.#copyLeft?.seconds ?? null;
    const { done, of, beganMs } = this.#comparison;
    if (this.#phase !== 'comparing') return null;
    const seconds = (this.#clock.monotonicMs() - beganMs) / 1000;
    return done === 0 || seconds < 0.5 ? null : Math.round((Math.max(0, of - done) * seconds) / done);
  }

  close(): void {
    this.#target.close();
    for (const each of this.#connections.values()) each.close();
    this.#connections.clear();
  }

  async #find(): Promise<SourcePlace> {
    const found = await findSource(this.#options.source);
    this.#at = `${found.address}:${found.port}`;
    return found;
  }

  #leftOutText(): string | null {
    const [first] = this.#leftOut.shown;
    if (first === undefined) return null;
    return `${this.#leftOut.count} keys can't be there: the first, ${JSON.stringify(first.key.toString('latin1'))} of database ${first.db}, because ${first.reason}`;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    this.#phase = 'connecting';
    const { target, mapping, types } = this.#options;
    const found = await this.#find();
    const place = optionsOf(found);
    const source = await openSource(place, types);
    const ended = new AbortController();
    const both = AbortSignal.any([signal, ended.signal]);
    let follower: ChangeFollower | undefined;
    const watch = new SourceWatch(this.#options.source, found, source.primaries);
    try {
      await watch.check();
      const facts = await this.#facts(source);
      follower = new ChangeFollower(
        { source: place, target, mapping, types, signal: both },
        facts,
        this.#leftOut,
      );
      const why = await follower.begin(source.primaries);
      this.#problem = why === null ? null : `changes are found by passes that compare: ${why}`;
      const attempt = { source, follower, watch, why };
      await this.#copy(source, facts, signal);
      this.#phase = 'comparing';
      await this.#compared(() => this.#untilEqual(attempt, signal));
      this.#attempt = attempt;
      this.#phase = 'following';
      this.#attempts.noteSuccess();
      while (!signal.aborted) {
        await pause(betweenPassesMs, signal);
        await follower.caughtUp();
        await follower.look();
        await watch.check();
        if (!(await this.#needsPass(attempt))) continue;
        await this.#compareBeside(attempt, signal);
      }
    } finally {
      this.#attempt = undefined;
      ended.abort(new Error('the connection ends'));
      await follower?.end();
      await this.#passes.catch(() => {});
      watch.close();
      source.close();
    }
  }

  async #facts(source: KeySource): Promise<BothFacts> {
    const target = new KeyReader(this.#options.target);
    try {
      const facts = { source: await source.facts(), target: await target.facts() };
      const { databases } = facts.source;
      const dbs = databases.map(({ db }) => this.#options.mapping.targetDb(db));
      if (new Set(dbs).size === dbs.length) return facts;
      throw MigrateRefused(`two databases of ${this.name} would become one`, {
        hint: 'By scan, --db must move each of them to a database of its own.',
      });
    } finally {
      target.close();
    }
  }

  async #copy(source: KeySource, facts: BothFacts, signal: AbortSignal) {
    this.#phase = 'copying';
    this.#keys = 0;
    this.#bytes = 0;
    this.#copyBeganMs = this.#clock.monotonicMs();
    // Of which types the others are, that are passed over, nobody counts.
    this.#copyLeft =
      this.#options.types.length === 0 ? new TimeLeft(facts.source.keys, this.#clock) : undefined;
    const writer = new KeyWriter(this.#options.target, facts);
    try {
      await writer.begin();
      const dbs = facts.source.databases.map(({ db }) => db);
      await copyPass(source, writer, dbs, {
        ...{ leftOut: this.#leftOut, mapping: this.#options.mapping, signal },
        onProgress: async ({ keys, bytes }, last) => {
          this.#copyLeft?.saw(last);
          const waitMs = this.#pace.waitMs(bytes - this.#bytes);
          this.#keys = keys;
          this.#bytes = bytes;
          if (waitMs > 0) await pause(waitMs, signal);
          await this.#options.lag?.wait(signal);
        },
      });
    } finally {
      writer.close();
    }
  }

  async #compareBeside(attempt: Attempt, signal: AbortSignal): Promise<void> {
    this.#beside = new AbortController();
    const { signal: brokenOff } = this.#beside;
    const either = AbortSignal.any([signal, brokenOff]);
    try {
      // A key that changed while it was repaired differs again, and no notification says so.
      await this.#compared(() =>
        attempt.why === null ? this.#untilEqual(attempt, either) : this.#pass(attempt, either),
      );
    } catch (error) {
      if (signal.aborted || !brokenOff.aborted) throw error;
    }
  }

  /** One pass at a time: they share a connection, and its database. */
  async #compared(work: () => Promise<unknown>): Promise<void> {
    const done = this.#passes.catch(() => {}).then(work);
    this.#passes = done;
    await done;
    this.#owed = false;
  }

  /** Whether what is there can be known by comparing only. */
  async #needsPass({ follower, why }: Attempt): Promise<boolean> {
    const isAnother = await this.#target.hasChanged();
    const hasMissed = follower.takeMissed();
    this.#owed ||= hasMissed || isAnother || why !== null;
    return this.#owed;
  }

  /** @param held nobody writes meanwhile @throws the signal's reason */
  async #untilEqual(attempt: Attempt, signal: AbortSignal, held?: 'held'): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      await attempt.follower.caughtUp();
      const before = await attempt.source.layout();
      await this.#target.hasChanged();
      const differing = await this.#pass(attempt, signal, held);
      const isAnother = await this.#target.hasChanged();
      const missed = (attempt.follower.takeMissed() && attempt.why === null) || isAnother;
      const isSettled = attempt.why !== null && this.#attempt === undefined;
      if ((differing === 0 || isSettled) && !missed && (await attempt.source.layout()) === before) return;
    }
  }

  /** @returns how many keys differed, and can be the same; where nobody writes, those that still differ. */
  async #pass({ source, follower, why }: Attempt, signal: AbortSignal, held?: 'held'): Promise<number> {
    const { target, mapping, owned } = this.#options;
    let differing = 0;
    const comparison = { done: 0, of: 0, beganMs: this.#clock.monotonicMs() };
    this.#comparison = comparison;
    await verify({
      ...{ source, target, mapping, repair: true, toleranceMs: closeMs, signal },
      ...(why === null ? { untilThere: () => follower.writtenUpToNow(signal) } : {}),
      // What only the target has is soon looked for.
      onProgress: (looks) => {
        comparison.done = looks.source;
        comparison.of = looks.ofSource;
      },
      keepExtra: (targetDb) => owned !== null && !owned.includes(targetDb),
      onDifference: ({ db, key, left, repaired, unsettled }) => {
        if (held && repaired) return;
        // Of one that changes all the time every change is written, where they are heard.
        if (unsettled && why === null) return;
        if (left !== undefined && !left.includes('differs again')) this.#leftOut.add(db, key, left);
        if (!this.#leftOut.has(db, key)) differing++;
      },
    });
    return differing;
  }
}

function optionsOf({ address: host, port, credentials, tls }: SourcePlace): ConnectionOptions {
  return { endpoint: { host, port }, credentials, tls };
}
