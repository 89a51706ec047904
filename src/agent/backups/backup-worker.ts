/** Has a process of its own take a backup: see backup/worker.ts. */
import { fileURLToPath } from 'node:url';
import type { WorkerLine, WorkerTask } from '../../backup/worker-task.ts';
import { errorFromJson } from '../../base/error-wire.ts';
import type { Report } from '../change/change-context.ts';
import { BackupWorkerFailed } from '../errors.ts';
import { runWorker } from '../jobs/run-worker.ts';

const file = fileURLToPath(new URL('../../backup/worker.js', import.meta.url));

/** @throws what the worker says, with its code, or BACKUP_WORKER_FAILED when it ended without a word. */
export async function takeByWorker(task: WorkerTask, report: Report, signal: AbortSignal): Promise<unknown> {
  let last: Exclude<WorkerLine, { step: string }> | undefined;
  const ending = await runWorker<WorkerLine>(file, {
    task,
    signal,
    onLine: (said) => {
      if ('step' in said) report(said.step);
      else last = said;
    },
  });
  if (last === undefined) {
    throw BackupWorkerFailed(`the process that takes backups ${ending}`, {
      hint: 'No backup is listed that is not whole; the next run starts anew.',
    });
  }
  if ('error' in last) throw errorFromJson(last.error);
  return last.result;
}
