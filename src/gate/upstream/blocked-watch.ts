import { errorCode } from '../../base/errors.ts';
import { blockedIn } from '../../redis/client-list.ts';
import type { Link } from '../../redis/link.ts';
import type { MemberAddress } from '../config.ts';
import { type OwnLogin, openOwnLink } from './open-link.ts';
import type { ReplyHandler } from './run.ts';
import type { Upstream } from './upstream.ts';

const lookMs = 2;
const answerWithinMs = 1000;
/** Who may not ask is not let ask all the time, nor one that does not answer asked. */
const refusedMs = 10_000;
const silentMs = 100;
/** So many connections are asked for at once. */
const mostAtOnce = 128;
/** The share of the server's time that the questions may take is one of this. */
const restOfTime = 8;
const mostBetweenMs = 100;

/**
 * Which blocking commands wait at their server, by its own word: a command that waits has taken nothing yet. Whatever is not
 * answered within some milliseconds is asked for (`CLIENT LIST ID`), all of a server together. Where the gate may not ask, none
 * is known to wait.
 */
export class BlockedWatch {
  readonly #login: OwnLogin;
  /** What is to be asked for. */
  #fresh = new Map<ReplyHandler, Upstream>();
  readonly #links = new Map<MemberAddress, Link>();
  /** Who is not asked until then. Where the gate may not ask, what waits is forgotten. */
  readonly #pauses = new Map<MemberAddress, { untilMs: number; refused: boolean }>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(login: OwnLogin) {
    this.#login = login;
  }

  /** A blocking command was sent there, behind which nothing is sent. */
  add(upstream: Upstream, handler: ReplyHandler): void {
    if (this.#stopped) return;
    this.#fresh.set(handler, upstream);
    this.#timer ??= setTimeout(() => this.#look(), lookMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#fresh.clear();
    for (const link of this.#links.values()) link.close();
  }

  async #look(): Promise<void> {
    const since = performance.now();
    const byMember = new Map<MemberAddress, Map<ReplyHandler, Upstream>>();
    for (const [handler, upstream] of this.#fresh) {
      const here = upstream.ring.some((run) => run.handler === handler);
      const pause = this.#pauses.get(upstream.target);
      const paused = pause !== undefined && since < pause.untilMs;
      if (upstream.closed || !here || (paused && pause.refused)) {
        this.#fresh.delete(handler);
        continue;
      }
      if (paused) continue;
      // Behind something that is not answered yet it may be that which waits.
      if (upstream.ring.peek()?.handler !== handler) continue;
      if (upstream.atServer.id === null) {
        this.#fresh.delete(handler);
        continue;
      }
      const some = byMember.get(upstream.target) ?? new Map<ReplyHandler, Upstream>();
      byMember.set(upstream.target, some);
      if (some.size < mostAtOnce) some.set(handler, upstream);
    }
    await Promise.all([...byMember].map(([member, some]) => this.#ask(member, some)));
    const tookMs = performance.now() - since;
    this.#timer =
      this.#fresh.size > 0 && !this.#stopped
        ? setTimeout(() => this.#look(), Math.max(lookMs, Math.min(tookMs * restOfTime, mostBetweenMs)))
        : undefined;
  }

  async #ask(member: MemberAddress, some: Map<ReplyHandler, Upstream>): Promise<void> {
    const ids = [...some.values()].map(({ atServer }) => atServer.id as number);
    try {
      const list = await this.#linkTo(member).call(['CLIENT', 'LIST', 'ID', ...ids]);
      const blocked = blockedIn(String(list));
      for (const [handler, { atServer, ring, closed }] of some) {
        if (closed || !blocked.has(atServer.id as number) || ring.peek()?.handler !== handler) continue;
        handler.onBlocked?.(member);
        this.#fresh.delete(handler);
      }
    } catch (error) {
      // A server that is gone is told by the connections of clients; one that is only slow is asked again.
      const refused = errorCode(error) === 'REDIS_REFUSED';
      this.#pauses.set(member, { untilMs: performance.now() + (refused ? refusedMs : silentMs), refused });
    }
  }

  #linkTo(member: MemberAddress): Link {
    const known = this.#links.get(member);
    if (known !== undefined && !known.closed) return known;
    const link = openOwnLink(member, this.#login, { timeoutMs: answerWithinMs });
    this.#links.set(member, link);
    return link;
  }
}
