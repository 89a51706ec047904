/**
 * Whether a server is still the one that it was, with the same history.
 *
 * - A target that another server took the place of, or that was started anew, may lack what it had acknowledged last, and whoever
 *   writes through a gate is not told. A pass that compares finds that.
 * - A source that was demoted gives up what its new primary lacks, and loads that one's data. No notification tells of it, and
 *   who listens there is not always disconnected.
 */
import { type ConnectionOptions, RedisConnection } from '../../redis/connection.ts';
import { parseInfo } from '../../redis/info.ts';
import { infoForFacts } from '../../redis/server-facts.ts';

const askMs = 5000;

export class ServerHistory {
  readonly #connection: RedisConnection;
  #seen: string | undefined;

  constructor(place: ConnectionOptions) {
    this.#connection = new RedisConnection({ ...place, timeoutMs: askMs });
  }

  /** Whether it is another one than when this was last asked. @throws REDIS_UNREACHABLE, REDIS_REFUSED */
  async hasChanged(): Promise<boolean> {
    const info = parseInfo(String(await this.#connection.call(...infoForFacts)));
    const before = this.#seen;
    this.#seen = `${info['run_id']} ${info['master_replid']}`;
    return before !== undefined && before !== this.#seen;
  }

  close(): void {
    this.#connection.close();
  }
}

/** All are asked, so that each counts from here on. @throws REDIS_UNREACHABLE, REDIS_REFUSED */
export async function anyChanged(histories: readonly ServerHistory[]): Promise<boolean> {
  return (await Promise.all(histories.map((each) => each.hasChanged()))).includes(true);
}
