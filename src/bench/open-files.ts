import { openFilesLimit } from '../base/open-files.ts';
import { BenchFailed } from './errors.ts';

/** Files that are open besides the users' connections. */
const sparedFiles = 200;

/** Each user is an open file, here and in what is asked. @throws BENCH_FAILED */
export function checkOpenFiles(users: number): void {
  const most = openFilesLimit();
  if (most === null || users + sparedFiles <= most) return;
  throw BenchFailed(`${users} users need as many open files, and a process may have ${most} here`, {
    hint: `ulimit -n ${users + 1000} raises it for this shell, if the system's own limit is not lower.`,
  });
}
