/**
 * Has a process of its own do what the command line does: what takes long, or much of a processor, must not hold up the
 * agent's watch. Its steps are what it says on stderr, its result is what it prints with --json.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onAbort } from '../../base/abort.ts';
import { errorFromJson } from '../../base/error-wire.ts';
import type { Report } from '../change/change-context.ts';
import { CommandFailed } from '../errors.ts';

const commandFile = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
/** One that is told to stop cleans up first. */
const stopWithinMs = 20_000;
const longestResult = 16 * 2 ** 20;
/** The exit status of what ran, and found something unhealthy. */
const unhealthy = 3;

export interface CommandResult {
  /** What it printed with --json. */
  result: unknown;
  /** It ran, and what it looked at is unhealthy. */
  unhealthy: boolean;
}

/** @throws its own error, or COMMAND_FAILED when it ended without a word. */
export async function runCommand(
  args: readonly string[],
  say: Report,
  signal: AbortSignal,
): Promise<CommandResult> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, [commandFile, ...args, '--json'], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let killTimer: NodeJS.Timeout | undefined;
  const stop = () => {
    child.kill('SIGINT');
    killTimer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs).unref();
  };
  const stopListening = onAbort(signal, stop);
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (printed.length < longestResult) printed += text;
  });
  let lastWords = '';
  createInterface({ input: child.stderr }).on('line', (line) => {
    lastWords = line.trim();
    if (lastWords !== '') say(lastWords.slice(0, 1000));
  });
  const { how, status } = await new Promise<{ how: string; status: number | null }>((resolve) => {
    child.once('error', (error) => resolve({ how: error.message, status: null }));
    child.once('close', (code, by) =>
      resolve({ how: by ? `was killed by ${by}` : `ended with status ${code}`, status: code }),
    );
  });
  stopListening();
  clearTimeout(killTimer);
  signal.throwIfAborted();
  const result = parsed(printed);
  if (isRefusal(result)) throw errorFromJson(result.error);
  if (result !== undefined && (status === 0 || status === unhealthy))
    return { result, unhealthy: status === unhealthy };
  throw CommandFailed(`holdfast ${args[0]} ${how}${lastWords === '' ? '' : `: ${lastWords}`}`, {
    hint: 'Run the same on the command line to see more.',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isRefusal(value: unknown): value is { error: unknown } {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    'error' in value &&
    Object.keys(value).length === 1
  );
}
