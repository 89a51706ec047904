import { idInHello } from './identity.ts';

/** Who a connection is at its server, as far as that has been said. */
export class ServerSide {
  #run = '';
  #id: number | null = null;
  #introduced: 'no' | 'asked' | 'answered' = 'no';

  /** The run of the server's process that it leads to; empty before it is ready. */
  get run(): string {
    return this.#run;
  }

  /** What CLIENT ID says on it; null while nobody has said it. */
  get id(): number | null {
    return this.#id;
  }

  /** It was asked for that once more, by somebody who has logged in, and has answered. */
  get introduced(): boolean {
    return this.#introduced === 'answered';
  }

  leadsTo(run: string): void {
    this.#run = run;
  }

  /** The server answered HELLO. */
  onHello(reply: string): void {
    this.#id ??= idInHello(reply);
  }

  /** It is to be asked once more who it is: false when that is known, or was asked. */
  introduce(): boolean {
    if (this.#id !== null || this.#introduced !== 'no') return false;
    this.#introduced = 'asked';
    return true;
  }

  /** Somebody logged in on it: who was a stranger may ask again. */
  onLogin(): void {
    if (this.#introduced === 'answered') this.#introduced = 'no';
  }

  /** @param reply to HELLO; null when that was refused */
  onIntroduced(reply: string | null): void {
    this.#introduced = 'answered';
    if (reply !== null) this.onHello(reply);
  }
}
