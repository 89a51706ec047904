/**
 * Which keys change at a source, by its keyspace notifications: a server publishes the name of each key that a command
 * changed, behind the command, on `__keyspace@<db>__:<key>`. A message says that a key is to be read again, and no more.
 *
 * - Messages are lost with the connection, and nobody can ask for them again. So whoever ends it has missed changes.
 * - FLUSHALL, FLUSHDB and SWAPDB publish nothing: INFO commandstats counts them. A name that is no UTF-8 can't be told from its
 *   message here.
 *
 * In all these cases a pass that compares finds the rest; `missed` says so.
 * Source: the page "Keyspace notifications" of the Redis documentation, notify.c; INFO commandstats of Redis 6.2 to 8.6.
 */
import { errorText } from '../../base/errors.ts';
import type { ConnectionOptions } from '../../redis/connection.ts';
import { describeEndpoint } from '../../redis/endpoint.ts';
import { Link } from '../../redis/link.ts';
import { ReplyError } from '../../resp/read.ts';
import { pack } from '../wire.ts';

/** More changed keys than these wait at no time: then the next pass finds them. */
const mostWaiting = 500_000;
const connectWithinMs = 10_000;
/** All kinds of keys and commands; K names the keys, A all classes but key misses and new keys. */
const wanted = 'KA';

export class ChangeFeed {
  readonly #options: ConnectionOptions;
  /** By database: each key that waits, and its number among all that were heard. The first of each is the oldest. */
  readonly #byDb = new Map<number, Map<string, number>>();
  #heard = 0;
  #link: Link | undefined;
  #waiting = 0;
  #before: string | undefined;
  #missed = false;
  /** Commands for whole databases, as they were counted last. */
  #wholes: number | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Whether changes may have gone unheard since this was last asked. */
  takeMissed(): boolean {
    const missed = this.#missed || this.#link?.closed === true;
    this.#missed = false;
    return missed;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** How many changes were heard until now. */
  get heard(): number {
    return this.#heard;
  }

  /** The number of the oldest that waits; infinite when none does. */
  get oldest(): number {
    const first = [...this.#byDb.values()].map((keys) => keys.values().next().value);
    return Math.min(Number.POSITIVE_INFINITY, ...first.flatMap((number) => number ?? []));
  }

  /**
   * Switches notifications on where they are not, and listens. Where nobody can see whether they are on it listens as well:
   * what is heard is of use, and proves nothing.
   * @returns null; or in words why not every change will be heard.
   */
  async begin(): Promise<string | null> {
    const where = describeEndpoint(this.#options.endpoint);
    const link = new Link({
      ...this.#options,
      protocol: 3,
      timeoutMs: connectWithinMs,
      onPush: ([kind, , channel]) => {
        if (kind === 'pmessage') this.#hear(String(channel));
      },
      onClosed: () => {
        this.#missed = true;
      },
    });
    this.#link = link;
    try {
      await link.ready;
      const reason = await this.#switchOn(link, where);
      await link.call(['PSUBSCRIBE', '__keyspace@*__:*']);
      await this.look();
      return reason;
    } catch (error) {
      await this.end();
      this.#link = undefined;
      return `${where} lets nobody listen to notifications: ${errorText(error)}`;
    }
  }

  /** What changed in a database, taken from here; at most so many. */
  take(most: number): { db: number; keys: Buffer[] } | null {
    for (const [db, keys] of this.#byDb) {
      const taken: Buffer[] = [];
      for (const key of keys.keys()) {
        if (taken.length >= most) break;
        keys.delete(key);
        taken.push(Buffer.from(key));
      }
      if (keys.size === 0) this.#byDb.delete(db);
      this.#waiting -= taken.length;
      if (taken.length > 0) return { db, keys: taken };
    }
    return null;
  }

  /**
   * Looks for what is not published. It is answered behind all that was published before.
   * @throws REDIS_UNREACHABLE, REDIS_REFUSED
   */
  async look(): Promise<void> {
    if (this.#link === undefined) return;
    const wholes = commandsForWhole(String(await this.#link.call(['INFO', 'commandstats'])));
    if (this.#wholes !== undefined && this.#wholes !== wholes) this.#missed = true;
    this.#wholes = wholes;
  }

  /** Sets notifications back to what they were. */
  async end(): Promise<void> {
    const link = this.#link;
    if (link === undefined || link.closed) return;
    if (this.#before !== undefined) {
      await link
        .exchange([pack([['CONFIG', 'SET', 'notify-keyspace-events', this.#before]])], 1)
        .catch(() => {});
    }
    link.close();
  }

  async #switchOn(link: Link, where: string): Promise<string | null> {
    const [found] = await link.exchange([pack([['CONFIG', 'GET', 'notify-keyspace-events']])], 1);
    if (found instanceof ReplyError || !Array.isArray(found)) {
      return `${where} refuses CONFIG, so that nobody can see whether notifications are on, nor switch them on`;
    }
    const before = String(found[1] ?? '');
    if (hearsAll(before)) return null;
    const flags = [...new Set([...before, ...wanted])].join('');
    const [set] = await link.exchange([pack([['CONFIG', 'SET', 'notify-keyspace-events', flags]])], 1);
    if (set instanceof ReplyError) return `${where} refuses to switch notifications on: ${set.text}`;
    this.#before = before;
    return null;
  }

  #hear(channel: string): void {
    const match = /^__keyspace@(\d+)__:([\s\S]*)$/.exec(channel);
    if (match === null) return;
    const key = match[2] as string;
    if (key.includes('\ufffd') || this.#waiting >= mostWaiting) {
      this.#missed = true;
      return;
    }
    const db = Number(match[1]);
    const keys = this.#byDb.get(db) ?? new Map<string, number>();
    this.#byDb.set(db, keys);
    // One that waits already is read when its turn comes, with what changed since.
    if (keys.has(key)) return;
    keys.set(key, ++this.#heard);
    this.#waiting++;
  }
}

/** How many commands were executed that empty or exchange whole databases. Pure. */
export function commandsForWhole(stats: string): number {
  const counts = stats.matchAll(/^cmdstat_(?:flushall|flushdb|swapdb):calls=(\d+)/gim);
  return [...counts].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

/** Whether a setting tells of every change: the names of keys, and all classes, one by one or together. */
export function hearsAll(flags: string): boolean {
  const classes = flags.includes('A') || [...'g$lshzxetd'].every((each) => flags.includes(each));
  return flags.includes('K') && classes;
}
