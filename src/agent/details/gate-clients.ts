/** The clients of all gates: this host's are asked, and for the others their agents. */
import { type ApiClients, clientsSchema } from '../../api/details.ts';
import type { Deployment } from '../deployment.ts';
import { type Said, understood } from '../picture/understood.ts';
import { Remembered, sharedMs } from './remembered.ts';

const elsewhereWithinMs = 3000;
const mostClients = 1000;

type Known = Pick<Deployment, 'gates' | 'spec' | 'setting'>;

export class GateClients {
  readonly #deployment: Known;
  readonly #ask: (path: string, withinMs: number) => Promise<ReadonlyMap<string, Said>>;
  readonly #here: Remembered<ApiClients>;

  constructor(
    deployment: Known,
    ask: (path: string, withinMs: number) => Promise<ReadonlyMap<string, Said>>,
  ) {
    this.#deployment = deployment;
    this.#ask = ask;
    this.#here = new Remembered(
      () => this.#askHere(),
      sharedMs,
      () => deployment.setting.clock.monotonicMs(),
    );
  }

  /** @param onlyHere of the gates of this host. */
  async all(onlyHere: boolean): Promise<ApiClients> {
    const here = this.#here.get();
    return onlyHere ? here : together(await Promise.all([here, this.#askElsewhere().then(together)]));
  }

  async #askHere(): Promise<ApiClients> {
    const answers = this.#deployment.gates
      .filter(({ unit }) => unit !== null)
      .map(({ place: { id }, adapter }) =>
        adapter.clients().then(
          ({ total, clients }): ApiClients => ({
            total,
            clients: clients.map((each) => ({ gate: id, ...each })),
            missing: [],
          }),
          (error: Error) => unknownOf([id], error.message.slice(0, 300)),
        ),
      );
    return together(await Promise.all(answers));
  }

  async #askElsewhere(): Promise<ApiClients[]> {
    const told = await this.#ask('/api/clients?only=here', elsewhereWithinMs);
    return [...told].map(([host, said]): ApiClients => {
      const read = understood(said, clientsSchema);
      if ('answer' in read) return read.answer;
      const gates = this.#deployment.spec.gates.filter((gate) => gate.host === host);
      return unknownOf(
        gates.map(({ id }) => id),
        read.missing,
      );
    });
  }
}

function unknownOf(gates: readonly string[], why: string): ApiClients {
  return { total: 0, clients: [], missing: gates.map((gate) => ({ gate, why })) };
}

function together(answers: readonly ApiClients[]): ApiClients {
  return {
    total: answers.reduce((sum, { total }) => sum + total, 0),
    clients: answers.flatMap(({ clients }) => clients).slice(0, mostClients),
    missing: answers.flatMap(({ missing }) => missing),
  };
}
