/**
 * The same lines, shown again and again. A terminal is drawn over in place, without a flicker, and never wider or longer
 * than it is; whatever else gets them (a pipe, a file) is told only what differs from what it was told last.
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
  return target.isTTY === true ? new Terminal(target) : new Pipe(target);
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
    const fits =
      lines.length < rows ? lines : [...lines.slice(0, rows - 2), `… ${lines.length - rows + 2} more`];
    const drawn = fits.map((line) => `${cut(line, columns)}${plain}${clearLine}\n`);
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

/** The first so many characters; colours take no room. */
function cut(line: string, columns: number): string {
  let room = columns;
  return line
    .split(/(\u001b\[\d{1,3}m)/)
    .map((piece, index) => {
      if (index % 2 === 1) return piece;
      const kept = [...piece].slice(0, room);
      room -= kept.length;
      return kept.join('');
    })
    .join('');
}
