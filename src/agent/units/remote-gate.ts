import type { ProcessCommand } from '../../process/spawn-held.ts';
import type { TlsTexts } from '../../redis/endpoint.ts';
import { refusalKind } from '../../redis/errors.ts';
import { Link } from '../../redis/link.ts';
import type { GatePlace } from '../../spec/spec.ts';
import type { GateAdapter, GateObservation } from './gate-adapter.ts';

const answerWithinMs = 1000;
/** A new client waits too while there is no primary. */
const silentReason = 'it takes connections and does not answer: it waits for a primary, or hangs';

/**
 * A gate of another host. Agents don't command each other's gates: a gate hears of a change from the Sentinels by
 * itself. All that is done here is to see whether its listener answers.
 */
export class RemoteGate implements GateAdapter {
  readonly #place: GatePlace;
  readonly #tls: TlsTexts | undefined;
  #seen: GateObservation = { state: 'down', clients: 0 };

  /** @param tls of the deployment; undefined without TLS */
  constructor(place: GatePlace, tls: TlsTexts | undefined) {
    this.#place = place;
    this.#tls = tls;
  }

  get seen(): GateObservation {
    return this.#seen;
  }

  async configure(): Promise<void> {}

  async tellPlaces(): Promise<null> {
    return null;
  }

  command(): ProcessCommand {
    throw new TypeError(`${this.#place.id} runs on ${this.#place.host}, not here`);
  }

  /**
   * QUIT needs no rights, and is no request in the gate's figures: a look is neither traffic nor an error there. Any answer
   * means that the listener is open.
   */
  async look(): Promise<void> {
    const { address: host, port } = this.#place;
    const link = new Link({ endpoint: { host, port }, tls: this.#tls, timeoutMs: answerWithinMs });
    let isConnected = false;
    link.ready.then(
      () => (isConnected = true),
      () => {},
    );
    try {
      await link.call(['QUIT']);
      this.#seen = { state: 'open', clients: 0 };
    } catch (error) {
      if (refusalKind(error) !== undefined) this.#seen = { state: 'open', clients: 0 };
      else if (isConnected && link.endCode === 'TIMEOUT')
        this.#seen = { state: 'down', clients: 0, reason: silentReason };
      else this.#seen = { state: 'down', clients: 0 };
    } finally {
      link.close();
    }
  }

  async clients(): Promise<never> {
    throw new TypeError(`${this.#place.id} runs on ${this.#place.host}, not here`);
  }

  async hold(): Promise<void> {}
  async switchTo(): Promise<void> {}
  async release(): Promise<void> {}
  close(): void {}
}
