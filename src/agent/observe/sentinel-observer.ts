/**
 * Watches one Sentinel: whom it names, and every event it publishes about this deployment, as it happens.
 */
import type { Clock } from '../../base/clock.ts';
import { FreshCall } from '../../base/fresh-call.ts';
import type { ConnectionOptions } from '../../redis/connection.ts';
import { isLockedOut, knowsNoSuchPrimary } from '../../redis/errors.ts';
import { SentinelClient } from '../../redis/sentinel-client.ts';
import { parseSentinelEvent, type SentinelEvent } from '../../redis/sentinel-event.ts';

export interface SentinelObservation {
  reachable: boolean;
  primary: { address: string; port: number } | null;
  configEpoch: number;
  /** It says that a majority agrees that the primary is down. */
  agreedDown: boolean;
  /** For how long the primary had not answered its PINGs when it was last asked. */
  primarySilentMs: number;
  failoverInProgress: boolean;
  tilt: boolean;
  /** It says by itself that the primary is down. */
  saysDown: boolean;
  /** It answers, and does not know our password. */
  locksUsOut: boolean;
  /** It answers, and watches no primary of this name. */
  watchesNothing: boolean;
  /** That was found out a moment after it said what it watched: what is kept of that was its last word. */
  forgotLately: boolean;
}

const nothingKnown: SentinelObservation = {
  reachable: false,
  primary: null,
  configEpoch: 0,
  agreedDown: false,
  primarySilentMs: 0,
  failoverInProgress: false,
  tilt: false,
  saysDown: false,
  locksUsOut: false,
  watchesNothing: false,
  forgotLately: false,
};

/** Two looks, and what a busy machine adds. */
const aMomentMs = 5000;

export class SentinelWatch {
  readonly client: SentinelClient;
  readonly #events: SentinelClient;
  readonly #name: string;
  readonly #onEvent: (event: SentinelEvent) => void;
  #seen: SentinelObservation = nothingKnown;
  #subscribed = false;
  #answeredAtMs: number | null = null;
  #toldAtMs: number | null = null;
  #namesSinceMs: number | null = null;
  /** When it said last what it watches. */
  #namedAtMs: number | null = null;
  readonly #clock: Clock;
  readonly #question = new FreshCall(() => this.#ask());

  constructor(
    name: string,
    connection: ConnectionOptions,
    clock: Clock,
    onEvent: (event: SentinelEvent) => void,
  ) {
    this.#clock = clock;
    this.#name = name;
    this.#onEvent = onEvent;
    this.client = new SentinelClient(connection, name);
    this.#events = new SentinelClient(connection, name);
    this.#events.connection.onClose(() => {
      this.#subscribed = false;
    });
  }

  get seen(): SentinelObservation {
    return this.#seen;
  }

  /** When it answered last, on the monotonic clock; null before it did. */
  get answeredAtMs(): number | null {
    return this.#answeredAtMs;
  }

  /** Its process works: it answered when it was last asked, whatever it said. */
  get isHeard(): boolean {
    const { reachable, locksUsOut, watchesNothing } = this.#seen;
    return reachable || locksUsOut || watchesNothing;
  }

  /** When this agent last told it what it is to watch, on the monotonic clock; null before it did. */
  get toldAtMs(): number | null {
    return this.#toldAtMs;
  }

  /** Since when it has named the server that it names, on the monotonic clock; null before it named one. */
  get namesSinceMs(): number | null {
    return this.#namesSinceMs;
  }

  noteTold(): void {
    this.#toldAtMs = this.#clock.monotonicMs();
  }

  /** Asks, and subscribes again if the subscription was lost: what is seen then is younger than this call. Never throws. */
  look(): Promise<void> {
    return this.#question.make();
  }

  async #ask(): Promise<void> {
    try {
      if (!this.#subscribed) await this.#subscribe();
      const { address, port, flags, configEpoch, okPingAgeMs } = await this.client.primary();
      this.#answeredAtMs = this.#clock.monotonicMs();
      this.#namedAtMs = this.#answeredAtMs;
      this.#see({
        ...this.#seen,
        reachable: true,
        locksUsOut: false,
        watchesNothing: false,
        forgotLately: false,
        saysDown: flags.includes('s_down'),
        primary: { address, port },
        configEpoch,
        agreedDown: flags.includes('o_down'),
        primarySilentMs: okPingAgeMs,
        failoverInProgress: flags.includes('failover_in_progress'),
      });
    } catch (error) {
      const locksUsOut = isLockedOut(error);
      this.#seen = { ...this.#seen, reachable: false, locksUsOut, watchesNothing: false };
      if (knowsNoSuchPrimary(error)) this.#foundUnassigned();
      // A subscription to a host that is lost, or came back as another, stays silent for ever unless it is asked.
      if (this.#subscribed) await this.#events.connection.call('PING').catch(() => {});
    }
  }

  #see(next: SentinelObservation): void {
    const { primary } = this.#seen;
    const isAnother = next.primary?.address !== primary?.address || next.primary?.port !== primary?.port;
    if (isAnother) this.#namesSinceMs = this.#clock.monotonicMs();
    this.#seen = next;
  }

  /** What it was about went with what it watched; whom it named last is kept. */
  #foundUnassigned(): void {
    const nowMs = this.#clock.monotonicMs();
    const namedLately = this.#namedAtMs !== null && nowMs - this.#namedAtMs < aMomentMs;
    this.#answeredAtMs = nowMs;
    this.#seen = {
      ...this.#seen,
      ...{ watchesNothing: true, forgotLately: this.#seen.forgotLately || namedLately },
      ...{ saysDown: false, agreedDown: false, failoverInProgress: false },
    };
  }

  close(): void {
    this.client.close();
    this.#events.close();
    this.#seen = nothingKnown;
    this.#subscribed = false;
  }

  async #subscribe(): Promise<void> {
    await this.#events.connection.subscribe('*', (channel, message) => this.#heard(channel, message));
    this.#subscribed = true;
    this.#seen = { ...this.#seen, tilt: await this.client.tilt() };
  }

  #heard(channel: string, message: string): void {
    const event = parseSentinelEvent(channel, message, this.#name);
    if (!event) return;
    this.#see(afterEvent(this.#seen, event));
    this.#onEvent(event);
    // The event does not say under which epoch.
    if (event.newPrimary) void this.look();
  }
}

/**
 * What an event changes of what is known of the Sentinel that published it. That it began a failover must be known
 * at once: by the next question, up to a second later, another one could have been asked for a second failover.
 */
export function afterEvent(seen: SentinelObservation, event: SentinelEvent): SentinelObservation {
  const { name, newPrimary } = event;
  if (name === '+tilt' || name === '-tilt') return { ...seen, tilt: name === '+tilt' };
  if (name === '+try-failover') return { ...seen, failoverInProgress: true };
  if (newPrimary) return { ...seen, primary: newPrimary, primarySilentMs: 0, failoverInProgress: false };
  if (name.startsWith('-failover-abort') || name.startsWith('+failover-end'))
    return { ...seen, failoverInProgress: false };
  return seen;
}
