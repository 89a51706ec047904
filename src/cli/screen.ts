import { wrapped } from './narrow.ts';

/**
 * The same lines, shown again and again. A terminal is drawn over in place, without a flicker, and never wider or longer
 * than it is: what is too long goes on below. Whatever else gets them (a pipe, a file) is told only what differs from what it was told last.
 */
export interface ScreenTarget {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export interface Screen {
  /** @param news what of it is news when it changes, for who is told of changes only. */
  show(lines: readonly string[], news?: readonly string[]): void;
  /** The terminal has another size. */
  redraw(): void;
  end(): void;
}

const home = '\u001b[H';
const clearLine = '\u001b[K';
const clearBelow = '\u001b[J';
const clearAll = '\u001b[2J';
const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const plain = '\u001b[0m';

export function createScreen(target: ScreenTarget): Screen {
  // One that is dumb knows no codes.
  const draws = target.isTTY === true && process.env['TERM'] !== 'dumb';
  return draws ? new Terminal(target) : new Pipe(target);
}

class Terminal implements Screen {
  readonly #target: ScreenTarget;
  #lines: readonly string[] = [];

  constructor(target: ScreenTarget) {
    this.#target = target;
    target.write(`${hideCursor}${clearAll}`);
    process.on('exit', this.#restore);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, this.#leave);
  }

  show(lines: readonly string[]): void {
    this.#lines = lines;
    const { columns = 80, rows = 24 } = this.#target;
    const all = lines.flatMap((line) => wrapped(line, columns));
    const fits = all.length < rows ? all : [...all.slice(0, rows - 2), `… ${all.length - rows + 2} more`];
    const drawn = fits.map((line) => `${line}${plain}${clearLine}\n`);
    this.#target.write(`${home}${drawn.join('')}${clearBelow}`);
  }

  redraw(): void {
    this.#target.write(clearAll);
    this.show(this.#lines);
  }

  end(): void {
    this.#restore();
    process.off('exit', this.#restore);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, this.#leave);
  }

  readonly #restore = () => {
    this.#target.write(showCursor);
  };

  readonly #leave = () => process.exit(130);
}

class Pipe implements Screen {
  readonly #target: ScreenTarget;
  #last = '';

  constructor(target: ScreenTarget) {
    this.#target = target;
  }

  show(lines: readonly string[], news: readonly string[] = lines): void {
    const text = news.join('\n');
    if (text === this.#last) return;
    this.#last = text;
    this.#target.write(`${lines.join('\n')}\n`);
  }

  redraw(): void {}
  end(): void {}
}
