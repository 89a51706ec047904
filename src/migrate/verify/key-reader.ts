/**
 * What a server holds under some keys, in few round trips and bounded memory: how long each value is comes first, where
 * the server tells; where it does not, as many at a time as were short until now.
 */
import { constants } from 'node:buffer';
import { type ConnectionOptions, RedisConnection } from '../../redis/connection.ts';
import { refusalKind } from '../../redis/errors.ts';
import type { Request } from '../../redis/link.ts';
import type { Held } from './compare-values.ts';

const bytesAtATime = 8 * 2 ** 20;
/** A long value takes a server so long. */
export const answerWithinMs = 120_000;

export class KeyReader {
  readonly redis: RedisConnection;
  #tellsLengths = true;

  constructor(options: ConnectionOptions) {
    this.redis = new RedisConnection({
      ...options,
      timeoutMs: answerWithinMs,
      maxReplyBytes: constants.MAX_LENGTH,
    });
  }

  async select(db: number): Promise<void> {
    await this.redis.call('SELECT', db);
  }

  /** The keys of the selected database, some hundred at a time; one may come more than once. */
  async *pages(count: number): AsyncGenerator<Buffer[]> {
    let cursor = '0';
    do {
      const reply = await this.redis.ask(['SCAN', cursor, 'COUNT', count], { raw: true });
      const [next, keys] = reply as [Buffer, Buffer[]];
      cursor = next.toString();
      if (keys.length > 0) yield keys;
    } while (cursor !== '0');
  }

  async randomKeys(count: number): Promise<Buffer[]> {
    const asked = Array.from({ length: count }, (): Request => ['RANDOMKEY']);
    const keys = (await this.redis.askAll(asked, { raw: true })).filter((key) => Buffer.isBuffer(key));
    return [...new Map(keys.map((key) => [key.toString('latin1'), key])).values()];
  }

  async exist(keys: readonly Buffer[]): Promise<boolean[]> {
    const replies = await this.redis.askAll(keys.map((key): Request => ['EXISTS', key]));
    return replies.map((reply) => reply === 1);
  }

  /** Runs of keys whose values together are not too long; each run is one trip. */
  async runs(keys: readonly Buffer[]): Promise<Buffer[][]> {
    const bytes = await this.#lengths(keys);
    const runs: Buffer[][] = [];
    let run: Buffer[] = [];
    let sum = 0;
    for (const [index, key] of keys.entries()) {
      const length = bytes[index] as number;
      if (run.length > 0 && sum + length > bytesAtATime) {
        runs.push(run);
        run = [];
        sum = 0;
      }
      run.push(key);
      sum += length;
    }
    return run.length === 0 ? runs : [...runs, run];
  }

  async read(keys: readonly Buffer[]): Promise<Held[]> {
    const questions = keys.flatMap((key): Request[] => [
      ['DUMP', key],
      ['PTTL', key],
    ]);
    const replies = await this.redis.askAll(questions, { raw: true });
    return keys.map((_, index) => {
      const [payload, ttl] = [replies[index * 2], Number(replies[index * 2 + 1])];
      // Between the two it may have expired.
      return Buffer.isBuffer(payload) && ttl !== -2 ? { payload, ttlMs: ttl } : null;
    });
  }

  close(): void {
    this.redis.close();
  }

  async #lengths(keys: readonly Buffer[]): Promise<number[]> {
    const asked = keys.map((key): Request => ['MEMORY', 'USAGE', key, 'SAMPLES', 1]);
    if (this.#tellsLengths) {
      try {
        return (await this.redis.askAll(asked)).map((reply) => Number(reply ?? 0));
      } catch (error) {
        if (refusalKind(error) === undefined) throw error;
        this.#tellsLengths = false;
      }
    }
    // Sixteen at a time, for nobody knows how long they are.
    return keys.map(() => bytesAtATime / 16);
  }
}
