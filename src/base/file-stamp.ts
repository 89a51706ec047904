import { statSync } from 'node:fs';
import { errorText } from './errors.ts';

/** Tells whether one of these files is another than it was, or has other content, without reading it. */
export function stampOfFiles(files: readonly string[]): string {
  return files.map(stampOf).join(' ');
}

function stampOf(file: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(file, { bigint: true });
    return `${ino}:${size}:${mtimeNs}`;
  } catch (error) {
    return errorText(error);
  }
}
