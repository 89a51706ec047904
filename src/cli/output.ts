import { jsonText } from '../base/json-text.ts';
import { shownLine, shownText } from '../base/shown.ts';
import { type Colors, createColors, inColors } from './colors.ts';

/**
 * Where a verb's words go. Results go to stdout; everything said on the way goes to stderr, so that a pipe
 * carries results only. With `--json` stdout gets JSON and nothing else. This is the one place where text leaves for a
 * terminal: what is not ours in it (names, events, errors) is made fit to be shown here (colors.ts).
 */
export interface Output {
  readonly json: boolean;
  /** True when stderr is a terminal: progress may redraw its line. */
  readonly live: boolean;
  readonly colors: Colors;
  /** A line of the result, for people. Silent with `--json`. */
  line(text: string): void;
  /** Many lines of the result, for people: a file, a script. Silent with `--json`. */
  text(text: string): void;
  /** The result as data. Silent without `--json`. */
  data(value: unknown): void;
  /** A line of JSON, of a result that goes on. */
  dataLine(value: unknown): void;
  /** A line as a terminal gets it. */
  shown(text: string): string;
  /** A line on the way: progress, a warning. */
  note(text: string): void;
  /** A line on the way that the next one takes the place of, on a terminal; empty, it is cleared. */
  redraw(text: string): void;
}

export function createOutput(json: boolean, useColor: boolean): Output {
  return {
    json,
    live: process.stderr.isTTY === true,
    colors: createColors(useColor),
    line: (text) => {
      if (!json) process.stdout.write(`${inColors(text, shownLine)}\n`);
    },
    text: (text) => {
      if (!json) process.stdout.write(`${inColors(text, shownText)}\n`);
    },
    data: (value) => {
      if (json) process.stdout.write(`${jsonText(value)}\n`);
    },
    note: (text) => {
      process.stderr.write(`${inColors(text, shownText)}\n`);
    },
    dataLine: (value) => {
      process.stdout.write(`${JSON.stringify(value)}\n`);
    },
    shown: (text) => inColors(text, shownLine),
    redraw: (text) => {
      process.stderr.write(`\r${inColors(text, shownLine)}\x1b[K`);
    },
  };
}

/** NO_COLOR and --no-color switch colours off, FORCE_COLOR on; otherwise a terminal decides. */
export function wantsColor(flag: boolean | undefined): boolean {
  if (flag === false || process.env['NO_COLOR']) return false;
  if (process.env['FORCE_COLOR']) return true;
  return process.stdout.isTTY === true && process.env['TERM'] !== 'dumb';
}

/** As a shell reports a process that SIGPIPE ended. */
const brokenPipeStatus = 141;

/**
 * What becomes of a process whose output nobody takes any more. A reader that has seen enough (`| head`) ends it without
 * a word, as it ends other tools; a full disk behind it is told. `up` and `gate` go on
 * (base/outlive-output.ts): what serves others outlives its terminal.
 */
export function endWithReader(): void {
  process.stdout.on('error', endOn);
  process.stderr.on('error', endOn);
}

function endOn(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(brokenPipeStatus);
  process.stderr.write(`error: cannot write the output: ${error.message}\n`);
  process.exit(1);
}
