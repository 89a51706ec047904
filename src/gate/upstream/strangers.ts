import { refusalReply } from '../../redis/errors.ts';
import type { GateTls, MemberAddress } from '../config.ts';
import { keyOf } from './durability.ts';
import { openLink } from './open-link.ts';
import { isFull } from './open-upstream.ts';

/** An answer serves those who came this long after the question too: as if they had come a moment earlier. */
const freshMs = 100;
const askMs = 2000;

interface Answer {
  askedAt: number;
  needed: boolean;
}

/**
 * Whether a member lets strangers in: whether a new connection has to log in before it may do anything. The connections
 * that clients share were opened earlier, perhaps before there was a password; so this is asked for clients that come,
 * on a connection that says nothing of who it is. One question at a time goes to a member, however many come.
 */
export class Strangers {
  readonly #tls: GateTls | null;
  readonly #onLocked: (member: MemberAddress) => void;
  readonly #answers = new Map<string, Answer>();
  readonly #asking = new Map<string, Promise<void>>();

  /** @param onLocked a member that let strangers in no longer does */
  constructor(tls: GateTls | null, onLocked: (member: MemberAddress) => void) {
    this.#tls = tls;
    this.#onLocked = onLocked;
  }

  /** Whether one who came at `cameAt` (monotonic ms) has to log in there; undefined: ask. */
  mustLogIn(member: MemberAddress, cameAt: number): boolean | undefined {
    const answer = this.#answers.get(keyOf(member));
    return answer !== undefined && answer.askedAt >= cameAt - freshMs ? answer.needed : undefined;
  }

  /** What was known may be wrong now. */
  doubt(): void {
    for (const answer of this.#answers.values()) answer.askedAt = Number.NEGATIVE_INFINITY;
    this.#asking.clear();
  }

  /** Settles when there is an answer; the question may have been asked before, for others. @throws REDIS_UNREACHABLE */
  ask(member: MemberAddress): Promise<void> {
    const key = keyOf(member);
    const known = this.#asking.get(key);
    if (known !== undefined) return known;
    const asking: Promise<void> = this.#ask(member, key, () => this.#asking.get(key) === asking);
    this.#asking.set(key, asking);
    return asking;
  }

  /** @param isLast nobody has doubted since, and asked anew */
  async #ask(member: MemberAddress, key: string, isLast: () => boolean): Promise<void> {
    const askedAt = performance.now();
    const link = openLink(member, { credentials: null, tls: this.#tls }, { timeoutMs: askMs });
    try {
      const needed = await link.call(['PING']).then(
        () => false,
        (error: unknown) => {
          const reply = refusalReply(error);
          if (reply === undefined) throw error;
          if (!isFull(reply.text)) return reply.kind === 'NOAUTH';
          // It says so before it looks at who asks: what it said last holds.
          const last = this.#answers.get(key);
          if (last === undefined) throw error;
          return last.needed;
        },
      );
      const before = this.#answers.get(key);
      // A doubt that came meanwhile is not lifted by an answer to an older question.
      if (isLast()) this.#answers.set(key, { askedAt, needed });
      if (before !== undefined && !before.needed && needed) this.#onLocked(member);
    } finally {
      link.close();
      if (isLast()) this.#asking.delete(key);
    }
  }
}
