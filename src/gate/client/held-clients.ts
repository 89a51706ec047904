import type { Client } from './client.ts';
import { failHeld } from './replay.ts';

const checkMs = 25;
const retryMs = 20;

/** The clients whose next request can't go on now. Each is tried again when told so, and fails after `holdMs`. */
export class HeldClients {
  readonly #clients = new Set<Client>();
  readonly #holdMs: number;
  readonly #release: (client: Client) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(holdMs: number, release: (client: Client) => void) {
    this.#holdMs = holdMs;
    this.#release = release;
  }

  get size(): number {
    return this.#clients.size;
  }

  has(client: Client): boolean {
    return this.#clients.has(client);
  }

  add(client: Client): void {
    this.#clients.add(client);
    this.#timer ??= setInterval(() => this.#check(), Math.min(checkMs, this.#holdMs));
  }

  delete(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0 || this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Everyone goes on; those who still can't come back. */
  pumpAll(): void {
    for (const client of [...this.#clients]) this.#pump(client);
  }

  /** The first one goes on, to find out whether the others may. */
  pumpOne(): void {
    const [client] = this.#clients;
    if (client !== undefined) this.#pump(client);
  }

  retrySoon(client: Client): void {
    setTimeout(() => {
      if (this.#clients.has(client)) this.#pump(client);
    }, retryMs);
  }

  #pump(client: Client): void {
    this.delete(client);
    this.#release(client);
  }

  #check(): void {
    const before = performance.now() - this.#holdMs;
    for (const client of [...this.#clients]) {
      if (client.heldSince === 0 || client.heldSince >= before) continue;
      this.delete(client);
      failHeld(client);
    }
  }
}
