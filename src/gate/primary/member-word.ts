import type { Link } from '../../redis/link.ts';
import { type OwnKeys, ownKeys, wordOf } from '../../stream/lead-position.ts';
import type { Endpoint } from '../config.ts';
import { type OwnLogin, openOwnLink } from '../upstream/open-link.ts';
import type { Vote } from './sentinel-watch.ts';

const answerWithinMs = 1000;

/** One standalone member, asked whom its data say to lead, on one connection while that lasts. */
export class MemberWord {
  readonly endpoint: Endpoint;
  readonly #login: OwnLogin;
  readonly #onVote: () => void;
  #link: Link | null = null;
  #asking = false;
  #stopped = false;
  #vote: Vote | null = null;

  constructor(endpoint: Endpoint, login: OwnLogin, onVote: () => void) {
    this.endpoint = endpoint;
    this.#login = login;
    this.#onVote = onVote;
  }

  /** Null while it doesn't answer, or says nothing. */
  get vote(): Vote | null {
    return this.#vote;
  }

  start(): void {
    void this.poll();
  }

  stop(): void {
    this.#stopped = true;
    this.#link?.close();
  }

  async poll(): Promise<void> {
    if (this.#asking || this.#stopped) return;
    this.#asking = true;
    try {
      if (this.#link === null || this.#link.closed)
        this.#link = openOwnLink(this.endpoint, this.#login, { timeoutMs: answerWithinMs });
      const own = (await this.#link.call(['MGET', ...ownKeys])) as unknown as OwnKeys;
      const word = wordOf(own);
      this.#vote = word && { ...(word.whom ?? this.endpoint), epoch: word.epoch };
    } catch {
      // Of one that does not answer, or loads, the others tell.
      this.#vote = null;
    } finally {
      this.#asking = false;
    }
    if (!this.#stopped) this.#onVote();
  }

  /** Who may be promoted is no question of these: the one that leads has in its data who is in sync. */
  async replicas(): Promise<null> {
    return null;
  }
}
