import { existsSync } from 'node:fs';

/** `restart prod.yaml` means the file: ids never end like one. */
export function processAndSpec([first, second = '']: string[]): { id: string | undefined; file: string } {
  const isFile = first !== undefined && (/\.ya?ml$/.test(first) || existsSync(first));
  return isFile ? { id: undefined, file: first } : { id: first, file: second };
}
