/** Which mirrors a person paused. It outlives the agent: who paused one wants it paused until told otherwise. */
import { z } from 'zod';
import { readFileIfThere, writeFileAtomic } from '../../base/atomic-file.ts';
import { StateDirUnusable } from '../errors.ts';

const schema = z.strictObject({ paused: z.array(z.string()) });

export class PausedMirrors {
  readonly #file: string;
  #names = new Set<string>();

  constructor(file: string) {
    this.#file = file;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** @throws STATE_DIR_UNUSABLE when the file does not say it. */
  async load(): Promise<void> {
    const text = await readFileIfThere(this.#file);
    if (text === undefined) return;
    try {
      this.#names = new Set(schema.parse(JSON.parse(text)).paused);
    } catch (cause) {
      throw StateDirUnusable(`${this.#file} does not say which mirrors are paused`, {
        hint: 'It should hold {"paused":[]} with the names of mirrors. Without the file none is paused.',
        cause,
      });
    }
  }

  /** Is remembered before it holds. @returns whether that is a change. */
  async set(name: string, isPaused: boolean): Promise<boolean> {
    if (this.#names.has(name) === isPaused) return false;
    const names = new Set(this.#names);
    if (isPaused) names.add(name);
    else names.delete(name);
    await writeFileAtomic(this.#file, `${JSON.stringify({ paused: [...names] })}\n`);
    this.#names = names;
    return true;
  }
}
