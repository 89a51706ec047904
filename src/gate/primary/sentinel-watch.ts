import { errorText } from '../../base/errors.ts';
import type { Link } from '../../redis/link.ts';
import { parseSentinelEvent } from '../../redis/sentinel-event.ts';
import { type WatchedReplica, watchedPrimary, watchedReplicas } from '../../redis/sentinel-replies.ts';
import type { Reply } from '../../resp/read.ts';
import type { Credentials, Endpoint, GateTls } from '../config.ts';
import { Trouble } from '../trouble.ts';
import { openLink } from '../upstream/open-link.ts';

/** What one Sentinel says of who is primary. */
export interface Vote extends Endpoint {
  /** The configuration epoch under which it says so: the higher the newer. */
  epoch: number;
}

export interface SentinelEvents {
  /** `+selected-slave` or `+switch-master`: this replica was chosen. */
  onSelected(replica: Endpoint, old: Endpoint, event: string): void;
  onAborted(event: string): void;
  /** It answered a poll, or stopped answering. */
  onVote(): void;
}

const patterns = ['+selected-slave', '+switch-master', '?failover-abort*'];
const answerWithinMs = 2000;
const firstRetryMs = 100;
const lastRetryMs = 2000;

/** One Sentinel: listens to its events and asks it now and then, on one connection, which it opens again for ever. */
export class SentinelWatch {
  readonly endpoint: Endpoint;
  readonly #deployment: string;
  readonly #credentials: Credentials | null;
  readonly #events: SentinelEvents;
  readonly #tls: GateTls | null;
  readonly #log: (text: string) => void;
  #link: Link | null = null;
  #retryMs = firstRetryMs;
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;
  #vote: Vote | null = null;
  readonly #trouble: Trouble;

  constructor(
    endpoint: Endpoint,
    options: {
      deployment: string;
      credentials: Credentials | null;
      tls: GateTls | null;
      log: (text: string) => void;
    },
    events: SentinelEvents,
  ) {
    this.endpoint = endpoint;
    this.#deployment = options.deployment;
    this.#credentials = options.credentials;
    this.#tls = options.tls;
    this.#log = options.log;
    this.#trouble = new Trouble(options.log);
    this.#events = events;
  }

  get #where(): string {
    return `the Sentinel ${this.endpoint.address}:${this.endpoint.port}`;
  }

  /** Null while it doesn't answer. */
  get vote(): Vote | null {
    return this.#vote;
  }

  start(): void {
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#link?.close();
  }

  /** Asks it who is primary, unless an answer is still awaited. */
  async poll(): Promise<void> {
    const link = this.#link;
    if (link !== null) await this.#note(this.#ask(link));
  }

  #ask(link: Link): Promise<Reply> {
    return link.call(['SENTINEL', 'MASTER', this.#deployment]);
  }

  async #note(answer: Promise<Reply>): Promise<void> {
    try {
      const named = watchedPrimary(await answer);
      if (named === null) return;
      this.#trouble.isOver(`${this.#where} says again who is primary`);
      // In a failover of its own a Sentinel gives the old primary the new epoch already (sentinel.c, where the promotion is
      // detected), so that says nothing of how new its word is.
      const epoch = named.flags.includes('failover_in_progress') ? -1 : named.configEpoch;
      this.#vote = { address: named.address, port: named.port, epoch };
    } catch (error) {
      this.#trouble.is(`${this.#where} does not say who is primary: ${errorText(error)}`);
      this.#vote = null;
    }
    this.#events.onVote();
  }

  /** Its replicas of the deployment; null when it doesn't answer. */
  async replicas(): Promise<WatchedReplica[] | null> {
    try {
      const reply = await this.#link?.call(['SENTINEL', 'REPLICAS', this.#deployment]);
      return Array.isArray(reply) ? watchedReplicas(reply) : null;
    } catch {
      return null;
    }
  }

  #connect(): void {
    if (this.#stopped) return;
    const link = openLink(
      this.endpoint,
      { credentials: this.#credentials, tls: this.#tls },
      {
        // Of a host that is lost nothing comes back, not even an error: what it said before must not count for ever.
        timeoutMs: answerWithinMs,
        protocol: 3,
        onPush: (items) => this.#onPush(items),
        onClosed: (reason) => this.#onClosed(reason),
      },
    );
    // All in one go behind the login: a gate that starts has clients waiting. One pattern a call: each confirmation
    // answers one.
    const subscribed = Promise.all(patterns.map((pattern) => link.call(['PSUBSCRIBE', pattern])));
    const answer = this.#ask(link);
    // Of a Sentinel that is not there, nothing more is said than that.
    answer.catch(() => {});
    subscribed
      .then(() => {
        this.#link = link;
        this.#retryMs = firstRetryMs;
        return this.#note(answer);
      })
      .catch(() => link.close());
  }

  #onClosed(reason: string): void {
    if (this.#vote !== null) {
      this.#log(`lost ${this.#where}: ${reason}`);
      this.#vote = null;
      this.#events.onVote();
    }
    this.#link = null;
    if (this.#stopped) return;
    this.#retry = setTimeout(() => this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
  }

  #onPush(items: Reply[]): void {
    const event = parseSentinelEvent(String(items[2]), String(items[3]), this.#deployment);
    const chosen = event?.newPrimary ?? event?.subject;
    if (event === undefined || chosen === undefined) return;
    if (event.name === '+switch-master' || event.name === '+selected-slave') {
      if (event.primary !== undefined) this.#events.onSelected(chosen, event.primary, event.name);
    } else if (/failover-abort/.test(event.name)) this.#events.onAborted(event.name);
  }
}
