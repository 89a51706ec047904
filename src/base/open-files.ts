import { readFileSync } from 'node:fs';

/**
 * How many files this process may have open, whose soft limit Node raises to the hard one when it starts; null where it can't be
 * read.
 */
export function openFilesLimit(): number | null {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return line === null ? null : Number(line[1]);
  } catch {
    return null;
  }
}

/** That a connection could not be opened for want of a file says nothing of the other side. */
export function isOutOfFiles(code: unknown): boolean {
  return code === 'EMFILE' || code === 'ENFILE';
}
