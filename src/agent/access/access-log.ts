/** Writes down who got the right to look or act, who lost it, and who tried without: whatever process it was done by. */
import { errorText } from '../../base/errors.ts';
import type { EventLog } from '../state/event-log.ts';
import type { Tokens } from './tokens.ts';

const everyMs = 1000;
/** A program with an old token comes again and again: it is told of once in so long. */
const quietMs = 3600_000;
const mostAddresses = 1000;

export class AccessLog {
  readonly #events: EventLog;
  readonly #deployment: string;
  readonly #toldAtMs = new Map<string, number>();
  #unreadable = '';

  constructor(events: EventLog, deployment: string) {
    this.#events = events;
    this.#deployment = deployment;
  }

  /** @returns what ends it. */
  watch(tokens: Tokens): () => void {
    const look = () => {
      try {
        for (const text of tokens.changes()) this.#events.add('token', this.#deployment, text);
        this.#unreadable = '';
      } catch (error) {
        const text = errorText(error);
        if (text !== this.#unreadable) this.#events.add('state-damaged', this.#deployment, text);
        this.#unreadable = text;
      }
    };
    look();
    const timer = setInterval(look, everyMs);
    return () => clearInterval(timer);
  }

  wrong(address: string, nowMs: number): void {
    const toldMs = this.#toldAtMs.get(address);
    if (toldMs !== undefined && nowMs - toldMs < quietMs) return;
    this.#toldAtMs.delete(address);
    this.#toldAtMs.set(address, nowMs);
    const [oldest = ''] = this.#toldAtMs.keys();
    if (this.#toldAtMs.size > mostAddresses) this.#toldAtMs.delete(oldest);
    this.#events.add('login-refused', this.#deployment, `somebody at ${address} tried a wrong token`);
  }
}
