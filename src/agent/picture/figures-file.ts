/**
 * Figures that outlive the agent: a line of JSON for each sample, in a file that is set aside when it has as many lines as are
 * kept, so that the two together always have those. A disk that takes no line must not stop anything: the memory has it.
 */
import { appendFileSync, renameSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { errorText } from '../../base/errors.ts';
import type { Figures } from './samples.ts';

const linesReadAtOnce = 200;
/** Charts need no more. */
const digits = 6;

export interface FiguresFileRule {
  /** How many of the newest are there at least. */
  kept: number;
  /** So many are written at once; of an agent that is killed the last few are lost. */
  writtenAtOnce: number;
}

export class FiguresFile {
  readonly #file: string;
  readonly #rule: FiguresFileRule;
  #waiting: string[] = [];
  #lines = 0;

  /** @param file it may be missing. */
  constructor(file: string, rule: FiguresFileRule) {
    this.#file = file;
    this.#rule = rule;
  }

  add(atMs: number, figures: Figures): void {
    const known = Object.entries(figures).flatMap(([name, value]) =>
      value === null ? [] : [[name, Number(value.toPrecision(digits))]],
    );
    this.#waiting.push(`${JSON.stringify({ at: atMs, ...Object.fromEntries(known) })}\n`);
    if (this.#waiting.length >= this.#rule.writtenAtOnce) this.flush();
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    const lines = this.#waiting;
    this.#waiting = [];
    try {
      if (this.#lines >= this.#rule.kept) {
        renameSync(this.#file, `${this.#file}.1`);
        this.#lines = 0;
      }
      appendFileSync(this.#file, lines.join(''), { mode: 0o600 });
      this.#lines += lines.length;
    } catch (error) {
      process.stderr.write(`cannot write ${this.#file}: ${errorText(error)}\n`);
    }
  }

  /**
   * Reads what an agent before left, oldest first. In small pieces: a week of fifty members is much to read at once.
   * @param fromMs Unix ms; what is older is left out.
   */
  async load(fromMs: number, take: (atMs: number, figures: Figures) => void): Promise<void> {
    for (const name of [`${this.#file}.1`, this.#file]) {
      const lines = (await readFile(name, 'utf8').catch(() => '')).split('\n');
      this.#lines = lines.length - 1;
      for (const [index, line] of lines.entries()) {
        const sample = parseLine(line, fromMs);
        if (sample !== null) take(sample.atMs, sample.figures);
        if (index % linesReadAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}

/** Null for what is no line of ours, as after a crash, and for what is older. */
function parseLine(line: string, fromMs: number): { atMs: number; figures: Figures } | null {
  const atMs = Number(/^\{"at":(\d+)/.exec(line)?.[1]);
  if (!(atMs >= fromMs)) return null;
  try {
    const value = JSON.parse(line) as object;
    const numbers = Object.entries(value).filter(([name, each]) => name !== 'at' && typeof each === 'number');
    return { atMs, figures: Object.fromEntries(numbers) as Figures };
  } catch {
    return null;
  }
}
