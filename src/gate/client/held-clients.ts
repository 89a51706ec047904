import type { Client } from './client.ts';
import { RecentMost } from './recent-most.ts';
import { failHeld } from './replay.ts';

const checkMs = 25;
const retryMs = 20;

export interface Waiting {
  holdMs: number;
  /** Whether nobody fails now, however long it waits. */
  isPatient(): boolean;
}

/** The clients whose next request can't go on now. Each is tried again when told so, and fails after `holdMs`. */
export class HeldClients {
  readonly #clients = new Set<Client>();
  /** Those of them that wait for a moment only, until a member has said whether they may come in. */
  readonly #asking = new Set<Client>();
  readonly #most = new RecentMost();
  readonly #holds: Waiting;
  /** What was waited with patience does not count: until when that was. */
  #patientUntil = 0;
  readonly #release: (client: Client) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(holds: Waiting, release: (client: Client) => void) {
    this.#holds = holds;
    this.#release = release;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** The most that waited for a primary at one time, in this second and the one before. */
  get mostLately(): number {
    return this.#most.read(this.#waiting, performance.now());
  }

  get #waiting(): number {
    return this.#clients.size - this.#asking.size;
  }

  has(client: Client): boolean {
    return this.#clients.has(client);
  }

  /** It waits for a primary. */
  add(client: Client): void {
    this.#asking.delete(client);
    this.#keep(client);
    this.#most.note(this.#waiting, performance.now());
  }

  /** It waits until a member has been asked. */
  addAsking(client: Client): void {
    if (!this.#clients.has(client)) this.#asking.add(client);
    this.#keep(client);
  }

  #keep(client: Client): void {
    this.#clients.add(client);
    this.#timer ??= setInterval(() => this.#check(), Math.min(checkMs, this.#holds.holdMs));
  }

  delete(client: Client): void {
    this.#clients.delete(client);
    this.#asking.delete(client);
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
    const now = performance.now();
    if (this.#holds.isPatient()) this.#patientUntil = now;
    const before = now - this.#holds.holdMs;
    if (this.#patientUntil >= before) return;
    for (const client of [...this.#clients]) {
      if (client.heldSince === 0 || client.heldSince >= before) continue;
      this.delete(client);
      failHeld(client);
    }
  }
}
