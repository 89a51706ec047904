import { errorText } from '../../base/errors.ts';
import type { Reply } from '../../resp/read.ts';
import type { Credentials, Endpoint, GateTls } from '../config.ts';
import { Link } from '../upstream/link.ts';

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
  /** Null while it doesn't answer. */
  vote: Vote | null = null;

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
    this.#events = events;
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
    if (link === null) return;
    // Of a host that is lost nothing comes back, not even an error: what it said before must not count for ever.
    const timer = setTimeout(() => link.close(), answerWithinMs);
    try {
      const reply = await link.call('SENTINEL', 'MASTER', this.#deployment);
      if (!Array.isArray(reply)) return;
      const field = (name: string) => reply[reply.indexOf(name) + 1];
      this.vote = {
        address: String(field('ip')),
        port: Number(field('port')),
        epoch: Number(field('config-epoch')),
      };
    } catch (error) {
      this.#log(`a Sentinel does not say who is primary: ${errorText(error)}`);
      this.vote = null;
    } finally {
      clearTimeout(timer);
    }
    this.#events.onVote();
  }

  /** Its replicas of the deployment, as SENTINEL REPLICAS describes them; null when it doesn't answer. */
  async replicas(): Promise<Reply[][] | null> {
    try {
      const reply = await this.#link?.call('SENTINEL', 'REPLICAS', this.#deployment);
      return Array.isArray(reply) ? reply.filter(Array.isArray) : null;
    } catch {
      return null;
    }
  }

  #connect(): void {
    const link = new Link(this.endpoint, {
      credentials: this.#credentials,
      tls: this.#tls,
      connectMs: 2000,
      onPush: (items) => this.#onPush(items),
      onClosed: (reason) => this.#onClosed(reason),
    });
    link.ready
      .then(async () => {
        // One pattern a call: each confirmation answers one.
        for (const pattern of patterns) await link.call('PSUBSCRIBE', pattern);
        this.#link = link;
        this.#retryMs = firstRetryMs;
        await this.poll();
      })
      .catch(() => link.close());
  }

  #onClosed(reason: string): void {
    if (this.vote !== null) {
      this.#log(`lost the Sentinel ${this.endpoint.address}:${this.endpoint.port}: ${reason}`);
      this.vote = null;
      this.#events.onVote();
    }
    this.#link = null;
    if (this.#stopped) return;
    this.#retry = setTimeout(() => this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
  }

  #onPush(items: Reply[]): void {
    const event = String(items[2]);
    const words = String(items[3]).split(' ');
    const at = (host: string | undefined, port: string | undefined) => ({
      address: String(host),
      port: Number(port),
    });
    if (event === '+switch-master' && words[0] === this.#deployment) {
      // name, old address, old port, new address, new port
      this.#events.onSelected(at(words[3], words[4]), at(words[1], words[2]), event);
    } else if (event === '+selected-slave' && words[5] === this.#deployment) {
      // slave, name, address, port, @, primary's name, its address, its port
      this.#events.onSelected(at(words[2], words[3]), at(words[6], words[7]), event);
    } else if (/failover-abort/.test(event) && words.includes(this.#deployment)) {
      this.#events.onAborted(event);
    }
  }
}
