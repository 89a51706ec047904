/** A source of a migration that is a file, or the parts of an AOF: copied, and then there is nothing to follow. */
import { unlessAborted } from '../../base/retry.ts';
import { nameFile } from '../../rdb/merge-input.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import type { FiniteSource } from '../../stream/feed.ts';
import { Stream, type StreamOptions } from '../../stream/stream.ts';
import type { FollowedSource } from '../followed-source.ts';
import type { SourceProgress } from '../progress.ts';
import { Rate } from '../rate.ts';

export class FileRun implements FollowedSource {
  readonly name: string;
  readonly #stream: Stream;
  readonly #before: FileRun | undefined;
  readonly #rate = new Rate();
  #resolveDone: () => void = () => {};
  readonly #done = new Promise<void>((resolve) => {
    this.#resolveDone = resolve;
  });

  /** @param before is copied first: of two files that have one key, which is the later one must not be chance. */
  constructor(name: string, options: StreamOptions & { source: FiniteSource }, before: FileRun | undefined) {
    this.name = name;
    this.#stream = new Stream(options);
    this.#before = before;
  }

  async run(signal: AbortSignal): Promise<void> {
    if (this.#before !== undefined) await unlessAborted(this.#before.#done, signal).catch(() => {});
    if (signal.aborted) return;
    try {
      await this.#stream.run(signal);
    } catch (error) {
      throw nameFile(error, this.name);
    }
    if (this.#stream.status.phase === 'done') this.#resolveDone();
  }

  /** Nobody writes there. */
  async connections(): Promise<RedisConnection[]> {
    return [];
  }

  async look(): Promise<void> {}

  async drain(): Promise<void> {
    if (this.#stream.status.phase !== 'done') throw new Error(`${this.name} is not copied yet`);
  }

  /** Nothing follows a file, and nobody waits for a cut-over of it. */
  async confirm(): Promise<void> {}

  progress(): SourceProgress {
    const { phase, keys, bytes, totalBytes, commands, applied, leftOut, unfinishedBytes, problem } =
      this.#stream.status;
    const notes = [
      ...(leftOut === 0 ? [] : [`${leftOut} keys stay as the target has them`]),
      ...(unfinishedBytes === 0
        ? []
        : [
            `its last ${unfinishedBytes} bytes are no whole command or transaction, and are left out, as a server leaves them out that loads it`,
          ]),
    ];
    const read = bytes + (applied?.offset ?? 0);
    const rate = this.#rate.of(read);
    const left = totalBytes === undefined ? null : Math.max(0, totalBytes - bytes);
    return {
      ...{ source: this.name, at: this.name, phase, keys, bytes, totalBytes: totalBytes ?? null },
      bytesPerSecond: Math.round(rate),
      secondsLeft: phase === 'copying' && left !== null && rate > 0 ? Math.round(left / rate) : null,
      ...{ commands, appliedOffset: null, sourceOffset: null, lagBytes: null, lagSeconds: null },
      problem: notes.length === 0 ? problem : notes.join('; '),
    };
  }

  close(): void {}
}
