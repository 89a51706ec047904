/**
 * The stream backwards: behind the cut-over the old side follows the new one, so that the change can be taken back without
 * losing what was written meanwhile.
 *
 * Nothing goes round, because only one direction runs at a time, and each begins at a place that was found behind the end of the
 * other (stream/marked-place.ts): what the one has applied is never read by the other. How far the stream back is lies at the
 * old side, set in the transactions that it covers, as everywhere.
 *
 * The old side takes no writes but ours meanwhile (closed-users.ts). It never copies: the old side's data is all that there is
 * if the new side has lost its own.
 */
import { randomBytes } from 'node:crypto';
import { errorText } from '../../base/errors.ts';
import { pause } from '../../base/retry.ts';
import type { Target } from '../../rdb/target.ts';
import { blockedIn } from '../../redis/client-list.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { StreamSourceNotReady } from '../../stream/errors.ts';
import { markedPlace } from '../../stream/marked-place.ts';
import { type Place, type Position, positionKey } from '../../stream/position.ts';
import type { SourceAddress } from '../../stream/source-address.ts';
import { type TargetPlace, TargetWriter } from '../../stream/target-writer.ts';
import { withoutPositions } from '../../stream/without-positions.ts';
import type { BackPlace, SourceProgress } from '../progress.ts';
import { SourceRun } from '../source-run.ts';
import type { ClosedUsers } from './closed-users.ts';
import { connected, OldUsers } from './old-users.ts';

export interface WayBackOptions {
  /** Of the migration's stream, forward. */
  id: string;
  oldSide: SourceAddress;
  /** As it is read. */
  newSide: SourceAddress;
  /** As it is written. */
  target: TargetPlace;
  loads: Target;
  closed: ClosedUsers;
}

const markWithinMs = 5000;
/** A server that never had a replica waits for more of them first (repl-diskless-sync-delay, 5 s unless changed). */
const firstMarkWithinMs = 30_000;
const markSeconds = 600;

export class WayBack {
  readonly #options: WayBackOptions;
  readonly #users: OldUsers;
  #running: { run: SourceRun; stop: AbortController; ended: Promise<void> } | undefined;
  /** Why the old side does not follow any more; null as long as it does. */
  problem: string | null = null;

  constructor(options: WayBackOptions) {
    this.#options = options;
    this.#users = new OldUsers(options.oldSide, options.closed);
  }

  /** Of the old side. */
  get users(): OldUsers {
    return this.#users;
  }

  /** How far the old side is; null when it does not follow. */
  progress(): SourceProgress | null {
    const progress = this.#running?.run.progress();
    return progress === undefined ? null : { ...progress, problem: this.problem ?? progress.problem };
  }

  async look(): Promise<void> {
    await this.#running?.run.look();
  }

  /**
   * Where the new side stands now, for the old one to follow from there.
   * @param isFirst nobody waits for it, and it may take the time that a first replica takes
   * @throws why it can't be followed: REPLICATION_REFUSED and others
   */
  async place(isFirst = false): Promise<BackPlace> {
    const { target, newSide, id } = this.#options;
    const mark = randomBytes(6).toString('hex');
    const { replId, offset } = await this.#marked(
      newSide,
      target,
      mark,
      isFirst ? firstMarkWithinMs : markWithinMs,
    );
    return { id: `${id}-back-${mark}`, replId, offset, isBegun: false };
  }

  /** Whether the new side takes writes, as it is written. @throws REDIS_UNREACHABLE, REDIS_REFUSED */
  async write(): Promise<void> {
    await connected(this.#options.target, async (server) => {
      await server.call('SET', this.#markKey, 'v', 'EX', markSeconds);
      await server.call('DEL', this.#markKey);
    });
  }

  /** Closes the old side to others, and notes there from where it follows. @throws REDIS_REFUSED, REDIS_UNREACHABLE and others */
  async begin({ id, replId, offset }: BackPlace): Promise<void> {
    const writer = await TargetWriter.open(await this.#oldPlace(id), id);
    try {
      // Behind a crash it may be noted already.
      if (writer.position === null) await writer.apply(null, streaming({ replId, offset, db: 0 }));
    } finally {
      writer.close();
    }
  }

  /** Follows, behind `begin`, until `end`. */
  start({ id }: BackPlace): void {
    if (this.#running !== undefined) return;
    this.problem = null;
    const { newSide, loads } = this.#options;
    const stop = new AbortController();
    const run = new SourceRun('the new side', {
      ...{ id, source: newSide, target: () => this.#oldPlace(id), loads, rewriter: withoutPositions },
      ...{ onConflict: 'last', copied: undefined, onlyFollows: true, maxRate: 0 },
    });
    const ended = run.run(stop.signal).catch((error: unknown) => {
      this.problem = `the old side does not follow any more: ${errorText(error)}`;
    });
    this.#running = { run, stop, ended };
  }

  /** Returns when the old side has all that the new one holds now. @throws when that is over */
  async drain(deadline: number): Promise<void> {
    if (this.problem !== null) throw new Error(this.problem);
    await this.#running?.run.drain(deadline);
    if (this.problem !== null) throw new Error(this.problem);
  }

  /** What was read is applied behind it, and nothing more comes. */
  async end(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.stop.abort(new Error('the stream back ends'));
    await running?.ended;
    running?.run.close();
  }

  /** Behind `end`: the stream forward goes on behind what came back. @throws STREAM_PLACE_LOST and others */
  async turn(backId: string): Promise<void> {
    const { id, oldSide, target } = this.#options;
    const old = await this.#oldPlace(backId);
    const place = await this.#marked(oldSide, old, randomBytes(6).toString('hex'));
    const writer = await TargetWriter.open(target, id);
    try {
      await writer.apply(null, streaming(place));
    } finally {
      writer.close();
    }
  }

  async #marked(
    source: SourceAddress,
    place: TargetPlace,
    value: string,
    withinMs = markWithinMs,
  ): Promise<Place> {
    const key = this.#markKey;
    const limit = new AbortController();
    const late = () =>
      limit.abort(StreamSourceNotReady(`it did not hand out its stream within ${withinMs} ms`));
    const timer = setTimeout(late, withinMs);
    try {
      return await connected(place, async (server) => {
        const write = async () => void (await server.call('SET', key, value, 'EX', markSeconds));
        const found = await markedPlace(source, { key, value, write }, limit.signal);
        await server.call('DEL', key);
        return found;
      });
    } finally {
      clearTimeout(timer);
    }
  }

  get #markKey(): string {
    return positionKey(`${this.#options.id}-mark`);
  }

  /** Whoever is primary of the old side, closed, and open to us. */
  async #oldPlace(id: string): Promise<TargetPlace> {
    const { closed } = this.#options;
    const { place, where } = await this.#users.primary();
    await connected(place, async (server) => {
      await closed.close(server, where, id);
      await server.call('CLIENT', 'UNPAUSE');
      await endBlocked(server);
    });
    return { ...place, credentials: closed.credentials };
  }
}

function streaming(place: Place): Position {
  return { phase: 'streaming', run: randomBytes(8).toString('hex'), ...place };
}

const unblockPauseMs = 20;
const looks = 50;

/** Who waits in a blocking command since before may take what we put there. Those who waited in the pause are refused. */
async function endBlocked(server: RedisConnection): Promise<void> {
  for (let look = 0; look < looks; look++) {
    const blocked = blockedIn(String(await server.call('CLIENT', 'LIST', 'TYPE', 'normal')));
    if (blocked.size === 0) return;
    for (const id of blocked) await server.call('CLIENT', 'KILL', 'ID', id).catch(() => {});
    await pause(unblockPauseMs);
  }
}
