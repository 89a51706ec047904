import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** A command that runs while the test goes on, and that may be killed. */
export interface CliProcess {
  child: ChildProcess;
  /** What it has printed so far. */
  printed(): string;
  /** What it has written to stderr so far. */
  said(): string;
  /** Its exit status; -1 when it was killed. */
  ended: Promise<number>;
}

/** Starts the built command. */
export function startCli(
  args: string[],
  { cwd, env = {} }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): CliProcess {
  const child = spawn(process.execPath, [command, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise<number>((resolve) => {
    child.on('close', (code) => resolve(code ?? -1));
  });
  return { child, printed: () => printed, said: () => said, ended };
}
