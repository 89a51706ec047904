import { readFileSync } from 'node:fs';

/** holdfast's own version, from its package. */
export function holdfastVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
