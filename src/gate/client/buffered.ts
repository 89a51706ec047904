import type { ClosedFor } from '../control/control-api.ts';
import { LetGo } from './let-go.ts';

/** A client, as far as its memory goes. */
interface Holder {
  /** Takes note of what the gate keeps for it, and returns how many bytes more that is than last time. */
  recount(): number;
  /** How many that were then. */
  readonly counted: number;
  readonly closed: boolean;
  readonly unread: number;
  readonly requests: { readonly size: number };
  close(reason: ClosedFor): void;
}

/** Who has less than this is not looked for when somebody has to go. */
const muchBytes = 64 * 1024;

/**
 * The bytes of requests that wait in the gate, and of replies that wait to be read, of all clients together. When they
 * are too many, those that have most are closed, as a server with `maxmemory-clients` does: whoever fills the memory does not
 * have the others closed that bring something, too.
 */
export class Buffered {
  readonly #limitBytes: number;
  readonly #letGo: LetGo;
  #bytes = 0;
  /** Who has much, and how much. */
  readonly #holders = new Map<Holder, number>();

  constructor(limitBytes: number, letGo = new LetGo()) {
    this.#limitBytes = limitBytes;
    this.#letGo = letGo;
  }

  /** There is memory for clients that let their replies pile up. */
  get hasRoom(): boolean {
    return this.#bytes < this.#limitBytes / 2;
  }

  /** Takes in how much the client has waiting now. */
  update(client: Holder): void {
    const more = client.recount();
    if (more === 0) return;
    this.#bytes += more;
    if (client.closed) this.#letGo.note(-more);
    if (client.counted >= muchBytes) this.#holders.set(client, client.counted);
    else this.#holders.delete(client);
    if (more < 0) return;
    while (this.#bytes > this.#limitBytes) {
      const most = this.#greediest() ?? client;
      this.#holders.delete(most);
      most.close(most.unread > most.requests.size ? 'slow-reader' : 'waiting');
      if (most === client) return;
    }
  }

  #greediest(): Holder | undefined {
    let [found, most] = [undefined as Holder | undefined, 0];
    for (const [holder, bytes] of this.#holders) if (bytes > most) [found, most] = [holder, bytes];
    return found;
  }
}
