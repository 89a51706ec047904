import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

export interface SourceFile {
  /** Relative to the project, with forward slashes: `src/base/size.ts`. */
  name: string;
  text: string;
}

/** Every TypeScript file of a top-level folder. */
export function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => ({ name: `${folder}/${name}`, text: readProjectFile(`${folder}/${name}`) }));
}

export function readProjectFile(name: string): string {
  return readFileSync(path.join(root, name), 'utf8');
}
