/**
 * Keeps a migration from filling its target faster than the target's own replicas follow: nothing is read while one of them is
 * further behind than was said. A replica that is still copying the target's data is waited for as well, unless it is not there.
 */
import { pause } from '../base/retry.ts';
import { askReplication } from '../redis/ask-replication.ts';
import { RedisConnection } from '../redis/connection.ts';
import type { ReplicationInfo } from '../redis/info.ts';
import type { TargetPlace } from '../stream/target-writer.ts';

const askEveryMs = 200;
const askMs = 2000;

/** Bytes that the replica which is furthest behind lacks; 0 without replicas. Pure. */
export function farthestBehind({ offset, replicas }: ReplicationInfo): number {
  return Math.max(0, ...replicas.map((replica) => offset - replica.offset));
}

export class TargetLag {
  readonly #target: TargetPlace;
  readonly #mostBytes: number;
  #connection: RedisConnection | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;
  /** Of the replica that is furthest behind. */
  #behind = 0;

  constructor(target: TargetPlace, mostBytes: number) {
    this.#target = target;
    this.#mostBytes = mostBytes;
  }

  /** Returns when more may be written. @throws the signal's reason */
  async wait(signal: AbortSignal): Promise<void> {
    await this.#look();
    while (this.#behind > this.#mostBytes) {
      await pause(askEveryMs, signal);
      await this.#look();
    }
  }

  close(): void {
    this.#connection?.close();
  }

  async #look(): Promise<void> {
    if (performance.now() - this.#askedMs < askEveryMs) return;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #ask(): Promise<void> {
    this.#connection ??= new RedisConnection({ ...this.#target, timeoutMs: askMs });
    try {
      this.#behind = farthestBehind(await askReplication(this.#connection));
    } catch {
      // A target that can't be asked takes nothing either: whoever writes to it learns why.
      this.#behind = 0;
    }
    this.#askedMs = performance.now();
  }
}
