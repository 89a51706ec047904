import type { Cluster, Redis } from 'ioredis';

/**
 * Counters and appends, which show each repetition and each gap, until the source holds or refuses its writers. Keys that are
 * written together are in one slot of a Redis Cluster.
 */
export class CountedWrites {
  readonly #redis: Redis | Cluster;
  readonly #loop: Promise<void>;
  readonly #goesOn: boolean;
  #rounds = 0;
  #stopped = false;

  /** @param goesOn behind what was refused or not answered, too: such a round may have been written, whole or in part */
  constructor(redis: Redis | Cluster, { goesOn = false } = {}) {
    this.#redis = redis;
    this.#goesOn = goesOn;
    this.#loop = this.#write();
  }

  /** Of which every write was acknowledged. */
  get rounds(): number {
    return this.#rounds;
  }

  /** A round that is under way in a pause is not waited for. */
  async end(): Promise<void> {
    this.#stopped = true;
    this.#redis.disconnect();
    await this.#loop;
  }

  async #write(): Promise<void> {
    const script =
      "redis.call('INCR', KEYS[1]) redis.call('SADD', KEYS[2], ARGV[1]) redis.call('SPOP', KEYS[2])";
    const redis = this.#redis;
    for (let n = 0; !this.#stopped; n++) {
      try {
        await Promise.all([
          redis.incr('count'),
          redis.rpush(`appended:${n % 7}`, n),
          redis.multi().incr('{both}:a').incr('{both}:b').exec(),
          redis.eval(script, 2, '{bag}:scripted', '{bag}', n),
          redis.set(`expiring:${n % 50}`, n, 'EX', 3600),
        ]);
        this.#rounds++;
      } catch {
        if (!this.#goesOn) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}
