/**
 * State that could not be written: a full disk, a folder that went away. It ends nothing: servers are watched and replaced as
 * before, and the next write may go well. It is said once, and again when it still is so after a while.
 */
import type { Clock } from '../../base/clock.ts';
import { errorToJson } from '../../base/error-wire.ts';
import type { EventLog } from './event-log.ts';

const againMs = 60_000;

export class Unwritten {
  readonly #events: Pick<EventLog, 'add'>;
  readonly #clock: Clock;
  readonly #name: string;
  readonly #saidAtMs = new Map<string, number>();

  constructor(events: Pick<EventLog, 'add'>, clock: Clock, name: string) {
    this.#events = events;
    this.#clock = clock;
    this.#name = name;
  }

  /** @throws the error itself, unless it is the system's. */
  note(error: unknown): void {
    const { code, message } = errorToJson(error);
    if (!['DISK_FULL', 'SYSTEM_REFUSED'].includes(code)) throw error;
    const nowMs = this.#clock.monotonicMs();
    const before = this.#saidAtMs.get(code);
    if (before !== undefined && nowMs - before < againMs) return;
    this.#saidAtMs.set(code, nowMs);
    this.#events.add('state-unwritten', this.#name, message);
  }

  /** Also what was begun and is waited for by nobody. @returns what ends that. */
  listen(): () => void {
    const listener = (error: unknown) => this.note(error);
    process.on('unhandledRejection', listener);
    return () => process.off('unhandledRejection', listener);
  }
}
