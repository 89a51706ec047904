/** For tests of the command line that run it in their own process: what it prints and says does not reach the terminal. */
import { afterEach, beforeEach, vi } from 'vitest';

export interface CaughtWords {
  /** What it wrote to stdout in this test. */
  printed(): string;
  /** To stderr. */
  said(): string;
  /** From here on only what comes next counts. */
  forget(): void;
}

/** To be called once in a file. Its exit status is forgotten after each test. */
export function catchWords(): CaughtWords {
  const caught = { stdout: '', stderr: '' };
  const forget = () => {
    Object.assign(caught, { stdout: '', stderr: '' });
  };
  beforeEach(() => {
    forget();
    for (const name of ['stdout', 'stderr'] as const) {
      vi.spyOn(process[name], 'write').mockImplementation((text) => {
        caught[name] += text;
        return true;
      });
    }
  });
  afterEach(() => {
    vi.restoreAllMocks();
    process.exitCode = 0;
  });
  return { printed: () => caught.stdout, said: () => caught.stderr, forget };
}
