import type { Buffer } from 'node:buffer';
import type { ClosedFor, GateCounters } from './control-api.ts';
import { ErrorKinds } from './error-kinds.ts';
import { type Latency, LatencyHistogram } from './latency.ts';

const longestKind = 32;
const space = 32;

/** What happens now and then. */
type Counted = Exclude<keyof GateCounters, 'commands' | 'switches' | 'bytesIn' | 'bytesOut'>;

/** What one gate has counted since it started. What every request counts is a number of its own. */
export class Counters {
  #commands = 0;
  #bytesIn = 0;
  #bytesOut = 0;
  #switches = 0;
  readonly #events: Record<Counted, number> = {
    clientsAccepted: 0,
    clientsRefused: 0,
    held: 0,
    heldInVain: 0,
    replayed: 0,
    retried: 0,
    uncertain: 0,
    lossySwitches: 0,
  };
  readonly #errors = new ErrorKinds();
  readonly #closed: Record<ClosedFor, number> = {
    protocol: 0,
    session: 0,
    'slow-reader': 0,
    waiting: 0,
    unauthenticated: 0,
    'half-reply': 0,
  };
  readonly #reads = new LatencyHistogram();
  readonly #writes = new LatencyHistogram();

  count(what: Counted, times = 1): void {
    this.#events[what] += times;
  }

  /** So many requests were sent on or answered. */
  executed(requests: number): void {
    this.#commands += requests;
  }

  /** Bytes came from clients. */
  received(bytes: number): void {
    this.#bytesIn += bytes;
  }

  /** Bytes went to clients. */
  sent(bytes: number): void {
    this.#bytesOut += bytes;
  }

  /** The primary has changed so often by now. */
  switchedTimes(times: number): void {
    this.#switches = times;
  }

  /** The gate closes a client. */
  close(reason: ClosedFor): void {
    this.#closed[reason]++;
  }

  /** The error reply in `buf[start, end)` goes to a client. */
  error(buf: Buffer, start: number, end: number): void {
    const limit = Math.min(end - 2, start + 1 + longestKind);
    let at = start + 1;
    while (at < limit && (buf[at] as number) > space) at++;
    this.#errors.add(buf.toString('latin1', start + 1, at));
  }

  /** `count` requests were answered after so long. */
  answered(ms: number, count: number, writes: boolean): void {
    if (writes) this.#writes.record(ms, count);
    else this.#reads.record(ms, count);
  }

  read(): {
    counters: GateCounters;
    errors: Record<string, number>;
    closed: Record<ClosedFor, number>;
    latency: { read: Latency; write: Latency };
  } {
    const latency = { read: this.#reads.read(), write: this.#writes.read() };
    return {
      counters: {
        commands: this.#commands,
        ...this.#events,
        switches: this.#switches,
        bytesIn: this.#bytesIn,
        bytesOut: this.#bytesOut,
      },
      errors: this.#errors.read(),
      closed: { ...this.#closed },
      latency,
    };
  }
}
