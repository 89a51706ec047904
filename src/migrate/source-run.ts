/** One source while its migration runs: its stream, and what is seen of it besides. */
import { type Clock, systemClock } from '../base/clock.ts';
import { describeDuration } from '../base/duration.ts';
import { pause } from '../base/retry.ts';
import { askReplication } from '../redis/ask-replication.ts';
import { RedisConnection } from '../redis/connection.ts';
import type { QueuedSource } from '../stream/queue/queued-source.ts';
import { findSource, type SourceAddress } from '../stream/source-address.ts';
import { Stream, type StreamOptions } from '../stream/stream.ts';
import type { FollowedSource } from './followed-source.ts';
import { LagMeter } from './lag.ts';
import type { SourceProgress } from './progress.ts';
import { Rate } from './rate.ts';
import { refuseWhatIsGone } from './still-there.ts';

export interface SourcePosition {
  replId: string;
  offset: number;
}

const askMs = 2000;
const lookEveryMs = 1;
/** It is asked every second, and has two to answer. */
const silentAfterMs = 4000;

export class SourceRun implements FollowedSource {
  readonly stream: Stream;
  readonly #name: string;
  readonly #options: StreamOptions;
  readonly #address: SourceAddress;
  readonly #lag = new LagMeter();
  readonly #clock: Clock;
  #connection: RedisConnection | undefined;
  #connectedTo = '';
  readonly #rate: Rate;
  /** The first offset that was applied behind the last copy. */
  #from: number | null = null;

  /** @param name as the plan has it */
  constructor(name: string, options: StreamOptions & { source: SourceAddress | QueuedSource }) {
    this.#name = name;
    this.#options = options;
    const { source } = options;
    this.#address = source.kind === 'queued' ? source.address : source;
    this.#clock = options.clock ?? systemClock;
    this.#rate = new Rate(this.#clock);
    this.stream = new Stream(options);
  }

  get name(): string {
    return this.#name;
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.stream.run(signal);
  }

  async connections(): Promise<RedisConnection[]> {
    return [await this.#connectionNow()];
  }

  async look(): Promise<SourcePosition> {
    return await this.position();
  }

  async drain(deadline: number): Promise<void> {
    const { replId, offset } = await this.position();
    for (;;) {
      const { applied } = this.stream.status;
      if (applied !== null && applied.replId === replId && applied.offset >= offset) return;
      if (performance.now() >= deadline) {
        const reached = applied?.offset ?? 'nothing';
        throw new Error(`what ${this.name} wrote last was not applied in time (${reached} of ${offset})`);
      }
      await pause(lookEveryMs);
    }
  }

  async confirm(): Promise<void> {
    const { id, target } = this.#options;
    const place = typeof target === 'function' ? await target() : target;
    await refuseWhatIsGone(place, id, this.stream.status.stored);
  }

  /** A connection to whoever is primary there now. @throws STREAM_SOURCE_NOT_READY */
  async #connectionNow(): Promise<RedisConnection> {
    const { address: host, port, credentials, tls } = await findSource(this.#address);
    const where = `${host}:${port}`;
    if (this.#connection === undefined || this.#connectedTo !== where) {
      this.#connection?.close();
      this.#connection = new RedisConnection({
        endpoint: { host, port },
        credentials,
        tls,
        timeoutMs: askMs,
      });
      this.#connectedTo = where;
    }
    return this.#connection;
  }

  /** Where the source's history stands. @throws REDIS_UNREACHABLE and others */
  async position(): Promise<SourcePosition> {
    const { replId, offset } = await askReplication(await this.#connectionNow());
    this.#lag.saw(offset, this.#clock.monotonicMs());
    return { replId, offset };
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** Bytes that came behind the copy: an offset by itself says where the source's history began. */
  #followed(applied: number | null): number {
    this.#from = applied === null ? null : (this.#from ?? applied);
    return applied === null ? 0 : applied - (this.#from ?? applied);
  }

  progress(): SourceProgress {
    const { status } = this.stream;
    const applied = status.applied?.offset ?? null;
    const silentMs = this.#lag.silentMs(this.#clock.monotonicMs()) ?? 0;
    const isSilent = status.phase === 'following' && silentMs > silentAfterMs;
    // What it has written since nobody knows.
    const lag = isSilent ? null : this.#lag.at(applied);
    const problem = isSilent ? `it has not answered for ${describeDuration(silentMs)}` : status.problem;
    const rate = this.#rate.of(status.bytes + this.#followed(applied));
    const left = status.totalBytes === undefined ? null : status.totalBytes - status.bytes;
    return {
      ...{
        source: this.#name,
        at: status.source,
        phase: status.phase,
        keys: status.keys,
        bytes: status.bytes,
      },
      totalBytes: status.totalBytes ?? null,
      bytesPerSecond: Math.round(rate),
      secondsLeft: status.phase === 'copying' && left !== null && rate > 0 ? Math.round(left / rate) : null,
      ...{ commands: status.commands, appliedOffset: applied, sourceOffset: this.#lag.sourceOffset },
      ...{ lagBytes: lag?.bytes ?? null, lagSeconds: lag?.seconds ?? null, problem },
    };
  }
}
