/**
 * Whether a member's replica-priority of 0 is the agent's doing. It must outlive the agent: the next one puts back what
 * this one took, and leaves alone what an operator set.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { writeFileAtomic } from '../../base/atomic-file.ts';

export class HeldBack {
  readonly #file: string;
  #ours: boolean;
  #operators = false;

  /** @param file is there as long as the 0 is the agent's. */
  constructor(file: string) {
    this.#file = file;
    this.#ours = existsSync(file);
  }

  get ours(): boolean {
    return this.#ours;
  }

  /** Whether an operator set it to 0, as far as was seen. */
  get operators(): boolean {
    return this.#operators;
  }

  /** To be told the priority that the member says it has. */
  saw(priority: number): void {
    this.#operators = priority === 0 && !this.#ours;
  }

  /** To be called before the agent sets it to 0: a 0 without this would be taken for an operator's. */
  async claim(): Promise<void> {
    if (this.#ours) return;
    await writeFileAtomic(this.#file, '');
    this.#ours = true;
    this.#operators = false;
  }

  /** To be called once it is not 0 any more. */
  async release(): Promise<void> {
    if (!this.#ours) return;
    this.#ours = false;
    await rm(this.#file, { force: true });
  }
}
