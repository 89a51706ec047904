/**
 * The manifest of an AOF in parts: one line for each, `file NAME seq N type b|i|h`: the base, what was appended since, and what is
 * history. Pure. Source: redis 7.0 `src/aof.c`, "AOF Manifest file implementation" and `aofLoadManifestFromDisk`.
 */
import path from 'node:path';

/** Names of the parts that count, in the order in which they are loaded. */
export function aofPartNames(manifest: string): string[] {
  return manifest.split('\n').flatMap((line) => {
    const found = /^file (?:"((?:[^"\\]|\\.)*)"|(\S+)) seq \d+ type ([bi])/.exec(line);
    const part = nameInFolder(found?.[1] ?? found?.[2]);
    return part === undefined ? [] : [part];
  });
}

/** Of a file in its folder; undefined for what is no name of one: `..`, nothing. */
export function nameInFolder(text: string | undefined): string | undefined {
  const name = path.basename(text ?? '');
  return ['', '.', '..'].includes(name) ? undefined : name;
}
