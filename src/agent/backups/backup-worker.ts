/** Has a process of its own take a backup: see backup/worker.ts. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { WorkerLine, WorkerTask } from '../../backup/worker-task.ts';
import { errorFromJson } from '../../base/error-wire.ts';
import type { Report } from '../change/change-context.ts';
import { BackupWorkerFailed } from '../errors.ts';

const workerFile = fileURLToPath(new URL('../../backup/worker.js', import.meta.url));
/** A worker that is told to stop takes its upload back first. */
const stopWithinMs = 15_000;

/** @throws what the worker says, with its code, or BACKUP_WORKER_FAILED when it ended without a word. */
export async function runWorker(task: WorkerTask, report: Report, signal: AbortSignal): Promise<unknown> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, [workerFile], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  let killTimer: NodeJS.Timeout | undefined;
  const stop = () => {
    child.stdin.end();
    killTimer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs).unref();
  };
  signal.addEventListener('abort', stop, { once: true });
  child.stdin.on('error', () => {});
  let last: WorkerLine | undefined;
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const said = JSON.parse(line) as WorkerLine;
    if ('step' in said) report(said.step);
    else last = said;
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, by) => resolve(by ? `was killed by ${by}` : `ended with status ${code}`));
  });
  // Its stdin stays open for as long as we live.
  child.stdin.write(`${JSON.stringify(task)}\n`);
  const how = await ended;
  signal.removeEventListener('abort', stop);
  clearTimeout(killTimer);
  if (last !== undefined && 'result' in last) return last.result;
  if (last !== undefined && 'error' in last) throw errorFromJson(last.error);
  const said = complaint.trim() === '' ? '' : `: ${complaint.trim()}`;
  throw BackupWorkerFailed(`the process that takes backups ${how}${said}`, {
    hint: 'No backup is listed that is not whole; the next run starts anew.',
  });
}
