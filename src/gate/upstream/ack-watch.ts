import { pause } from '../../base/retry.ts';
import { refusalKind } from '../../redis/errors.ts';
import type { Link } from '../../redis/link.ts';
import { parseRole } from '../../redis/role.ts';
import type { MemberAddress } from '../config.ts';
import { keyOf } from './durability.ts';
import { type OwnLogin, openOwnLink } from './open-link.ts';
import { tooMany } from './short-look.ts';

/**
 * How many replicas have what was written until now, for the WAIT of a client whose writes went over connections that
 * others share. Redis before 7.2 tells that by itself; newer ones, and Valkey, count what WAIT's own connection wrote, which
 * may be nothing: see durability.ts, which has the same problem, for why it is asked like this.
 *
 * A client that waits through a change of primary waits for what the new one has by then.
 */
interface Waiter {
  member: MemberAddress;
  readonly needed: number;
  /** Monotonic ms. */
  readonly until: number;
  /** What has to be reached; null until its primary was asked. */
  offset: number | null;
  count: number;
  readonly done: (count: number | null) => void;
}

const firstLookMs = 1;
const longestLookMs = 16;
const retryMs = 50;
const answerWithinMs = 1000;

export class AckWatch {
  readonly #login: OwnLogin;
  readonly #primary: () => MemberAddress | null;
  readonly #waiters = new Set<Waiter>();
  readonly #links = new Map<string, Link>();
  #running = false;
  #stopped = false;

  constructor(login: OwnLogin, primary: () => MemberAddress | null) {
    this.#login = login;
    this.#primary = primary;
  }

  /**
   * Calls `done` with how many replicas have what was written at this member until now: once `needed` have it, or after
   * `ms` (0: never) with how many those are; with null when it may not be asked. Returns how to give up.
   */
  wait(member: MemberAddress, needed: number, ms: number, done: (count: number | null) => void): () => void {
    const until = ms === 0 ? Number.POSITIVE_INFINITY : performance.now() + ms;
    const waiter: Waiter = { member, needed, until, offset: null, count: 0, done };
    this.#waiters.add(waiter);
    if (!this.#running) void this.#run();
    return () => this.#waiters.delete(waiter);
  }

  stop(): void {
    this.#stopped = true;
    this.#waiters.clear();
    this.#closeLinks();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (
      let ms = firstLookMs;
      this.#waiters.size > 0 && !this.#stopped;
      ms = Math.min(ms * 2, longestLookMs)
    ) {
      const members = new Set([...this.#waiters].map(({ member }) => member));
      await Promise.all([...members].map((member) => this.#look(member, ms)));
    }
    this.#running = false;
    this.#closeLinks();
  }

  async #look(member: MemberAddress, ms: number): Promise<void> {
    const known = [...this.#waiters].filter((each) => each.member === member);
    try {
      const link = this.#linkTo(member);
      const [first, , second] = await link.callAll([['ROLE'], ['WAIT', tooMany, ms], ['ROLE']]);
      const [before, after] = [parseRole(first), parseRole(second)];
      if (before?.role !== 'primary' || after?.role !== 'primary') throw new Error('it is no primary');
      for (const each of known) {
        const offset = each.offset ?? before.offset;
        each.offset = offset;
        each.count = after.replicas.filter((replica) => replica.offset >= offset).length;
      }
    } catch (error) {
      if (/^(NOPERM|NOAUTH|WRONGPASS)$/.test(refusalKind(error) ?? ''))
        for (const each of known) this.#end(each, null);
      await this.#move(known);
    }
    const now = performance.now();
    for (const each of known) {
      if ((each.offset !== null && each.count >= each.needed) || now >= each.until)
        this.#end(each, each.count);
    }
  }

  /** Their primary does not answer as one: they wait for another, or for it. */
  async #move(waiters: Waiter[]): Promise<void> {
    await pause(retryMs);
    const primary = this.#primary();
    for (const each of waiters) {
      if (primary === null || primary === each.member) continue;
      each.member = primary;
      each.offset = null;
      each.count = 0;
    }
  }

  #end(waiter: Waiter, count: number | null): void {
    if (this.#waiters.delete(waiter)) waiter.done(count);
  }

  #linkTo(member: MemberAddress): Link {
    const key = keyOf(member);
    const known = this.#links.get(key);
    if (known !== undefined && !known.closed) return known;
    const link = openOwnLink(member, this.#login, { timeoutMs: answerWithinMs });
    this.#links.set(key, link);
    return link;
  }

  #closeLinks(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }
}
