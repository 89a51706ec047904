/**
 * A process of our own that works for as long as its task takes and we live: it reads its task as one line of JSON on its
 * stdin, tells what it does in lines of JSON, and ends when its stdin does.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { onAbort } from '../../base/abort.ts';

/** A worker that is told to stop takes back what it has half done first. */
const stopWithinMs = 15_000;

export interface WorkerRun<Line> {
  task: unknown;
  /** Aborted, it is told to stop. */
  signal: AbortSignal;
  onLine(line: Line): void;
}

/** @returns how it ended, as the rest of a sentence, with what it complained of: `ended with status 1: …`. */
export async function runWorker<Line>(
  file: string,
  { task, signal, onLine }: WorkerRun<Line>,
): Promise<string> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  let killTimer: NodeJS.Timeout | undefined;
  const stop = () => {
    child.stdin.end();
    killTimer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs).unref();
  };
  const stopListening = onAbort(signal, stop);
  child.stdin.on('error', () => {});
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  createInterface({ input: child.stdout }).on('line', (line) => onLine(JSON.parse(line) as Line));
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, by) => resolve(by ? `was killed by ${by}` : `ended with status ${code}`));
  });
  // Its stdin stays open for as long as we live.
  child.stdin.write(`${JSON.stringify(task)}\n`);
  const how = await ended;
  stopListening();
  clearTimeout(killTimer);
  const said = complaint.trim() === '' ? '' : `: ${complaint.trim()}`;
  return `${how}${said}`;
}
