import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

export interface Busy {
  /** For the page. */
  note: string;
  end(): void;
}

const turnMs = 50;

/** Keeps the machine busy: for each processor a process that computes without a pause, at the priority of the rest. */
export function keepBusy(processors = availableParallelism()): Busy {
  // They end with this process, however it ends: their standard input does.
  const code = `
    process.stdin.on('close', () => process.exit()).resume();
    const compute = () => {
      const from = performance.now();
      while (performance.now() - from < ${turnMs});
      setImmediate(compute);
    };
    compute();`;
  const children = Array.from({ length: processors }, () =>
    spawn(process.execPath, ['-e', code], { stdio: ['pipe', 'ignore', 'ignore'] }),
  );
  return {
    note: `The machine was kept busy: ${processors} processes computed without a pause on its ${processors} processors.`,
    end: () => {
      for (const child of children) child.kill('SIGKILL');
    },
  };
}
