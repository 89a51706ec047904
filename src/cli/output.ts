import pc from 'picocolors';

/**
 * Where a verb's words go. Results go to stdout; everything said on the way goes to stderr, so that a pipe
 * carries results only. With `--json` stdout gets one JSON document and nothing else.
 */
export interface Output {
  readonly json: boolean;
  /** True when stderr is a terminal: progress may redraw its line. */
  readonly live: boolean;
  readonly colors: ReturnType<typeof pc.createColors>;
  /** A line of the result, for people. Silent with `--json`. */
  line(text: string): void;
  /** The result as data. Silent without `--json`. */
  data(value: unknown): void;
  /** A line on the way: progress, a warning. */
  note(text: string): void;
}

export function createOutput(json: boolean, useColor: boolean): Output {
  return {
    json,
    live: process.stderr.isTTY === true,
    colors: pc.createColors(useColor),
    line: (text) => {
      if (!json) process.stdout.write(`${text}\n`);
    },
    data: (value) => {
      if (json) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
    note: (text) => {
      process.stderr.write(`${text}\n`);
    },
  };
}

/** NO_COLOR and --no-color switch colours off, FORCE_COLOR on; otherwise a terminal decides. */
export function wantsColor(flag: boolean | undefined): boolean {
  if (flag === false || process.env['NO_COLOR']) return false;
  if (process.env['FORCE_COLOR']) return true;
  return process.stdout.isTTY === true;
}
