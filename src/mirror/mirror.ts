/**
 * One mirror of a deployment while it runs: a stream (stream/stream.ts) that never ends by itself, from whoever the
 * Sentinels say is primary. Where the target stands is in the target, so that any process on any host goes on from there;
 * of two that run at once one finds its writes refused (target-writer.ts).
 *
 * What comes while the target is away waits in a queue on disk (stream/queue). What neither that nor the source's backlog has any
 * more is copied afresh: the target holds nothing of anybody else.
 */
import { randomBytes } from 'node:crypto';
import { errorText } from '../base/errors.ts';
import { type KeyPrefixes, keysUnder } from '../base/key-prefixes.ts';
import { pause } from '../base/retry.ts';
import type { SourceProgress } from '../migrate/progress.ts';
import { SourceRun } from '../migrate/source-run.ts';
import type { Target } from '../rdb/target.ts';
import type { ConnectionOptions } from '../redis/connection.ts';
import type { Credentials } from '../redis/endpoint.ts';
import { changingKeys } from '../stream/key-changes.ts';
import type { KeyPositions } from '../stream/key-positions.ts';
import { pauseBehind } from '../stream/next-step.ts';
import { onlyKeys } from '../stream/only-keys.ts';
import { nowhere } from '../stream/position.ts';
import type { QueuedSource } from '../stream/queue/queued-source.ts';
import { unchanged } from '../stream/rewrite.ts';
import { findSource, type SourceAddress } from '../stream/source-address.ts';
import { type TargetPlace, TargetWriter } from '../stream/target-writer.ts';
import { guard } from './guard.ts';
import { untilAnswered } from './until-answered.ts';

export interface MirrorSides {
  /** The mirror's name. */
  name: string;
  /** Of its stream: the same on every host. */
  id: string;
  /** With a user who may PSYNC and ask INFO. */
  source: SourceAddress;
  /** One who may GET what begins with `holdfast:`. */
  reader: Credentials;
  target: TargetPlace;
  /** Which keys; empty for all. */
  prefixes: KeyPrefixes;
  maxRate: number;
}

const guardEveryMs = 5000;
const askMs = 5000;

export class Mirror {
  readonly #sides: MirrorSides;
  readonly run: SourceRun;
  /** Why what is looked at every five seconds could not be, the last time; null when it could. */
  #unanswered: string | null = null;

  /**
   * @param source the source of the sides, with the queue that it is read through
   * @param at the target: what it can load, and which arguments of its commands are keys
   */
  constructor(
    sides: MirrorSides,
    source: QueuedSource,
    { loads, positions }: { loads: Target; positions: KeyPositions },
  ) {
    const { name, id, target, prefixes, maxRate } = sides;
    this.#sides = sides;
    const isOurs = keysUnder(prefixes);
    const rewriter =
      prefixes.length === 0
        ? unchanged
        : changingKeys(onlyKeys, { prefix: Buffer.alloc(0), isCarried: isOurs, positions });
    this.run = new SourceRun(name, {
      ...{ id, source, target, loads, rewriter, isOurs, onConflict: 'last', copied: undefined, maxRate },
      onPlaceGone: 'end',
    });
  }

  /** Until the signal is aborted. @throws MIRROR_LOOP, MIRROR_TARGET_NOT_EMPTY, and what `Stream.run` throws */
  async follow(isAnew: boolean, signal: AbortSignal): Promise<void> {
    const { status } = this.run.stream;
    await untilAnswered(
      () => this.#guard(isAnew),
      signal,
      (error) => {
        status.phase = 'waiting';
        status.problem = errorText(error);
      },
    );
    if (signal.aborted) return;
    if (isAnew) await this.#forgetPlace();
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const watching = this.#keepGuarding(both);
    try {
      await Promise.race([this.run.stream.run(both), watching]);
    } finally {
      stop.abort(new Error('the mirror stops'));
      await watching.catch(() => {});
      this.run.close();
    }
  }

  /**
   * How far it is. What was sent to a target behind a network that swallows everything has no answer for two minutes, and may yet be
   * long under way; that the target says nothing to a short question either is known sooner.
   */
  progress(): SourceProgress {
    const seen = this.run.progress();
    const isAwaited = seen.phase === 'following' || seen.phase === 'connecting';
    if (this.#unanswered === null || !isAwaited) return seen;
    return { ...seen, phase: 'waiting', problem: this.#unanswered };
  }

  async #keepGuarding(signal: AbortSignal): Promise<void> {
    for (;;) {
      await pause(guardEveryMs, signal).catch(() => {});
      if (signal.aborted) return;
      this.#unanswered = await this.#guard(false).then(
        () => null,
        (error: unknown) => {
          // Who can't be asked now is asked again.
          if (pauseBehind(error, 0) === undefined) throw error;
          return errorText(error);
        },
      );
    }
  }

  async #guard(mayEmpty: boolean): Promise<void> {
    const { id, source, reader, target, prefixes } = this.#sides;
    const { address: host, port, tls } = await findSource(source);
    const from: ConnectionOptions = { endpoint: { host, port }, credentials: reader, tls, timeoutMs: askMs };
    await guard({ id, source: from, target: { ...target, timeoutMs: askMs }, prefixes }, mayEmpty);
  }

  /** So that the stream begins anew, with the target emptied. */
  async #forgetPlace(): Promise<void> {
    const writer = await TargetWriter.open(this.#sides.target, this.#sides.id);
    try {
      await writer.apply(null, { phase: 'copying', run: randomBytes(8).toString('hex'), ...nowhere });
    } finally {
      writer.close();
    }
  }
}
