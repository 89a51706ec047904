import type { ClosedFor } from '../control/control-api.ts';
import { LetGo } from './let-go.ts';

/** A client, as far as its memory goes. */
interface Holder {
  /** Takes note of what the gate keeps for it, and returns how many bytes more that is than last time. */
  recount(): number;
  readonly closed: boolean;
  readonly unread: number;
  readonly requests: { readonly size: number };
  close(reason: ClosedFor): void;
}

/**
 * The bytes of requests that wait in the gate, and of replies that wait to be read, of all clients together. When they
 * are too many, the client that brought the last ones is closed, as a server with `maxmemory-clients` does.
 */
export class Buffered {
  readonly #limitBytes: number;
  readonly #letGo: LetGo;
  #bytes = 0;

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
    this.#bytes += more;
    if (client.closed) this.#letGo.note(-more);
    if (this.#bytes <= this.#limitBytes || more <= 0) return;
    client.close(client.unread > client.requests.size ? 'slow-reader' : 'waiting');
  }
}
