/**
 * Gates that stand before the old servers, so that applications changed their address before anything else changed: at the
 * cut-over they hold the writers, and let them go on at the new side. Their clients stay connected.
 */
import { readFileIfThere } from '../base/atomic-file.ts';
import { errorText } from '../base/errors.ts';
import { movedFileOf } from '../gate/config.ts';
import type { MoveRequest } from '../gate/control/control-api.ts';
import { GateControl } from '../gate/control/control-client.ts';
import { CutOverNotNow, goneForGood } from './errors.ts';

/** Beyond the time that the cut-over may take: who holds the writers must not forget them if we die. */
const holdMoreMs = 5000;

/** Whether one of them had noted that it moves its clients. @throws what reading throws: it may be so */
export async function haveMoved(sockets: readonly string[]): Promise<boolean> {
  const notes = await Promise.all(sockets.map((socket) => readFileIfThere(movedFileOf(socket))));
  return notes.some((note) => note !== undefined && note !== '');
}

export class FrontGates {
  readonly #gates: readonly { socket: string; control: GateControl }[];

  /** @param sockets their control sockets */
  constructor(sockets: readonly string[]) {
    this.#gates = sockets.map((socket) => ({ socket, control: new GateControl(socket) }));
  }

  get sockets(): string[] {
    return this.#gates.map(({ socket }) => socket);
  }

  /** Whether the old side serves the clients of all of them. @throws CUT_OVER_NOT_NOW when one can't be asked, or never did */
  async areBefore(): Promise<boolean> {
    const states = await Promise.all(
      this.#gates.map(async ({ socket, control }) => {
        const { predecessor } = await control.status().catch((cause: unknown) => {
          throw CutOverNotNow(`the gate at ${socket} does not answer: ${errorText(cause)}`, {
            hint: `Name the sockets that holdfast gate --control was given, of gates that run. ${goneForGood}`,
            cause,
          });
        });
        if (predecessor !== null) return predecessor;
        throw CutOverNotNow(`the gate at ${socket} stands before no old server`, {
          hint: 'Start it with --predecessor, the address that clients used, and --upstream or --sentinel, the new side.',
        });
      }),
    );
    return states.every((state) => state === 'serves');
  }

  /** That all of them can be told something. @throws CUT_OVER_NOT_NOW when one does not answer */
  async answer(): Promise<void> {
    await this.areBefore();
  }

  /**
   * Those that are left when these are gone for good.
   * @throws CUT_OVER_NOT_NOW when one of them is none of ours, or answers: its clients are somewhere
   */
  async without(sockets: readonly string[]): Promise<FrontGates> {
    for (const socket of sockets) {
      const gone = this.#gates.find((gate) => gate.socket === socket);
      if (gone === undefined) {
        throw CutOverNotNow(`the gate at ${socket} is none of this cut-over`, {
          hint: `It has ${this.sockets.length === 0 ? 'none' : this.sockets.join(', ')}.`,
        });
      }
      const answers = await gone.control.status().then(
        () => true,
        () => false,
      );
      if (answers) {
        throw CutOverNotNow(`the gate at ${socket} answers, and has clients to take along`, {
          hint: 'Without --without-gate it is moved. Or end it first: its clients are cut off then.',
        });
      }
    }
    return new FrontGates(this.sockets.filter((socket) => !sockets.includes(socket)));
  }

  /** That each could move its clients to the new side now. @throws CUT_OVER_NOT_NOW */
  async check(): Promise<void> {
    const failed = await this.#move({ to: 'members', onlyCheck: true });
    if (failed.length === 0) return;
    throw CutOverNotNow(`a gate can't reach the new side: ${failed.join('; ')}`, {
      hint: 'Its --upstream, or --sentinel with --name, must name what is written to; its user needs +role there.',
    });
  }

  /** Writers wait from here on, and what they had sent is answered. @throws GATE_CONTROL, CUT_OVER_NOT_NOW */
  async hold(withinMs: number): Promise<void> {
    const request = { reason: 'a migration changes over', maxMs: withinMs + holdMoreMs, patient: true };
    const held = await Promise.all(this.#gates.map(({ control }) => control.hold(request)));
    const undrained = this.#gates.find((_, index) => held[index]?.drained !== true);
    if (undrained === undefined) return;
    throw CutOverNotNow(`writes through the gate at ${undrained.socket} were not answered in time`, {
      hint: 'The old server is busy, or does not answer. Writers go on there.',
    });
  }

  /** Lets the writers go on where they were. One that can't be told does so by itself. */
  async release(): Promise<void> {
    await Promise.allSettled(this.#gates.map(({ control }) => control.release()));
  }

  /** @returns why a gate was not moved, for each that was not. */
  async move(to: 'members' | 'predecessor'): Promise<string[]> {
    return await this.#move({ to });
  }

  /** Clients go back to the old side, which does not take their writes yet. @throws CUT_OVER_NOT_NOW */
  async takeBack(): Promise<void> {
    const stayed = await this.move('predecessor');
    if (stayed.length === 0) return;
    throw CutOverNotNow(`clients stay at the new side: ${stayed.join('; ')}`, {
      hint: `The old side is still held. Try again when those gates answer. ${goneForGood}`,
    });
  }

  async #move(request: MoveRequest): Promise<string[]> {
    const moved = await Promise.allSettled(this.#gates.map(({ control }) => control.move(request)));
    return moved.flatMap((each, index) =>
      each.status === 'rejected' ? [`${this.#gates[index]?.socket}: ${errorText(each.reason)}`] : [],
    );
  }
}
