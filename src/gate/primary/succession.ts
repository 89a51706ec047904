import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { errorCode, errorText } from '../../base/errors.ts';
import type { GateConfig, MemberAddress, Predecessor } from '../config.ts';
import { GateControlFailed } from '../errors.ts';

/**
 * Whether the predecessor serves the clients or the members do. That they have moved is noted in a file before they are
 * told: a gate that crashed and starts again finds it, and does not take them back to a server that is left behind.
 */
export class Succession {
  readonly #predecessor: Predecessor | null;
  readonly #member: MemberAddress | null;
  #moved: boolean;

  constructor({ predecessor }: Pick<GateConfig, 'predecessor'>) {
    this.#predecessor = predecessor;
    this.#member = predecessor && { ...predecessor, id: nameOf(predecessor) };
    this.#moved = predecessor === null || isNoted(predecessor);
  }

  /** Who serves the clients instead of the members; null when the members do. */
  get serving(): MemberAddress | null {
    return this.#moved ? null : this.#member;
  }

  get state(): 'serves' | 'left' | null {
    if (this.#predecessor === null) return null;
    return this.#moved ? 'left' : 'serves';
  }

  /** @throws GATE_CONTROL where there is no predecessor, or it can't be noted */
  note(to: 'members' | 'predecessor'): void {
    const predecessor = this.#predecessor;
    if (predecessor === null) {
      throw GateControlFailed('this gate has no predecessor: its clients have always been at the members');
    }
    try {
      if (to === 'members') writeFileSync(predecessor.movedFile, `${nameOf(predecessor)}\n`, { mode: 0o600 });
      else rmSync(predecessor.movedFile, { force: true });
    } catch (cause) {
      throw GateControlFailed(
        `cannot note in ${predecessor.movedFile} that clients move: ${errorText(cause)}`,
        {
          cause,
        },
      );
    }
    this.#moved = to === 'members';
  }
}

function nameOf({ address, port }: Predecessor): string {
  return `${address}:${port}`;
}

/** A note about another server than this one says nothing. @throws what reading throws: it may be there */
function isNoted(predecessor: Predecessor): boolean {
  try {
    return readFileSync(predecessor.movedFile, 'utf8').trim() === nameOf(predecessor);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
