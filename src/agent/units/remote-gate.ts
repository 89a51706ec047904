import { connect } from 'node:net';
import type { ProcessCommand } from '../../process/supervised-process.ts';
import type { GatePlace } from '../../spec/spec.ts';
import type { GateAdapter, GateObservation } from './gate-adapter.ts';

const answerWithinMs = 1000;

/**
 * A gate of another host. Agents don't command each other's gates: a gate hears of a change from the Sentinels by
 * itself. All that is done here is to see whether its door answers.
 */
export class RemoteGate implements GateAdapter {
  readonly #place: GatePlace;
  #seen: GateObservation = { state: 'down', clients: 0 };

  constructor(place: GatePlace) {
    this.#place = place;
  }

  get seen(): GateObservation {
    return this.#seen;
  }

  async configure(): Promise<void> {}

  command(): ProcessCommand {
    throw new TypeError(`${this.#place.id} runs on ${this.#place.host}, not here`);
  }

  /** Any answer to PING, also NOAUTH, means that the door is open. */
  look(): Promise<void> {
    const { address, port } = this.#place;
    return new Promise((resolve) => {
      const socket = connect({ host: address, port, timeout: answerWithinMs });
      let answered = false;
      const done = (state: GateObservation['state']) => {
        if (answered) return;
        answered = true;
        this.#seen = { state, clients: 0 };
        socket.destroy();
        resolve();
      };
      socket.on('connect', () => socket.write('PING\r\n'));
      socket.on('data', () => done('open'));
      socket.on('timeout', () => done('down'));
      socket.on('error', () => done('down'));
      socket.on('close', () => done('down'));
    });
  }

  async hold(): Promise<void> {}
  async switchTo(): Promise<void> {}
  async release(): Promise<void> {}
  close(): void {}
}
