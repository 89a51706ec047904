/** Whether a person paused the automatic actions. It outlives the agent: who paused them wants them paused until told otherwise. */
import { readFileIfThere, writeFileAtomic } from '../../base/atomic-file.ts';
import { StateDirUnusable } from '../errors.ts';

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

function parse(text: string, file: string): boolean {
  let cause: unknown;
  try {
    const flags: unknown = JSON.parse(text);
    const paused = (flags as { paused?: unknown } | null)?.paused;
    if (typeof paused === 'boolean') return paused;
  } catch (error) {
    cause = error;
  }
  throw StateDirUnusable(`${file} does not say whether the automatic actions are paused`, {
    hint: 'It should hold {"paused":false} or {"paused":true}. Without the file they are not paused.',
    cause,
  });
}
