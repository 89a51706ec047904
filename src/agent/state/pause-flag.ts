/** Whether a person paused the automatic actions. It outlives the agent: who paused them wants them paused until told otherwise. */
import { z } from 'zod';
import { readFileIfThere, writeFileAtomic } from '../../base/atomic-file.ts';
import { readNote } from './read-note.ts';

export class PauseFlag {
  readonly #file: string;
  #paused = false;

  constructor(file: string) {
    this.#file = file;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** @throws STATE_DIR_UNUSABLE when the file says neither. */
  async load(): Promise<void> {
    const text = await readFileIfThere(this.#file);
    if (text !== undefined) this.#paused = parse(text, this.#file);
  }

  /** Is remembered before it holds. @returns whether that is a change. */
  async set(paused: boolean): Promise<boolean> {
    await writeFileAtomic(this.#file, `${JSON.stringify({ paused })}\n`);
    const isNews = paused !== this.#paused;
    this.#paused = paused;
    return isNews;
  }
}

const schema = z.object({ paused: z.boolean() });

function parse(text: string, file: string): boolean {
  const { paused } = readNote(text, schema, {
    file,
    says: 'whether the automatic actions are paused',
    hint: 'It should hold {"paused":false} or {"paused":true}. Without the file they are not paused.',
  });
  return paused;
}
