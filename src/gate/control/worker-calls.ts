import { errorText } from '../../base/errors.ts';
import type { Gate } from '../gate.ts';
import type { DrainRequest, HoldRequest, MoveRequest, PlacesRequest, SwitchRequest } from './control-api.ts';

/**
 * What the first process of a gate with several workers asks of each, as messages between processes: a question has
 * a number, and its answer has the same. `ping` is answered by whoever does not hang.
 */
export type Call =
  | { call: 'ping' }
  | { call: 'status' }
  | { call: 'connections' }
  | { call: 'clients' }
  | { call: 'hold'; body: HoldRequest }
  | { call: 'switch'; body: SwitchRequest }
  | { call: 'release' }
  | { call: 'places'; body: PlacesRequest }
  | { call: 'move'; body: MoveRequest }
  | { call: 'drain'; body: DrainRequest };
export type Question = Call & { id: number };
export interface Answer {
  id: number;
  result?: unknown;
  error?: string;
}

/** In a worker: does what the first process asks for. */
export function obeyPool(gate: Gate): void {
  process.on('message', (question: Question) => {
    const answer = (reply: Omit<Answer, 'id'>) => process.send?.({ id: question.id, ...reply });
    perform(gate, question).then(
      (result) => answer({ result }),
      (error: unknown) => answer({ error: errorText(error) }),
    );
  });
  process.send?.('ready');
}

async function perform(gate: Gate, question: Question): Promise<unknown> {
  switch (question.call) {
    case 'ping':
      return null;
    case 'status':
      return gate.status();
    case 'connections':
      return gate.connections();
    case 'clients':
      return gate.clients();
    case 'hold':
      return gate.hold(question.body);
    case 'switch':
      return gate.switch(question.body);
    case 'release':
      return gate.release();
    case 'places':
      return gate.places(question.body);
    case 'move':
      return gate.move(question.body);
    case 'drain':
      return gate.drain(question.body);
  }
}
