/** What a self-contained holdfast is made of: this very build, the packages that it needs, and this Node.js. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Contents {
  /** The folder that everything lies in. */
  root: string;
  /** Relative to it. */
  folders: readonly string[];
  /** The version, and a digest of all of it: another build has another name. */
  build: string;
}

interface PackageFile {
  version: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** For people who debug; hosts need neither. */
export const leftOut = ['*.map', '*.d.ts', '*.md'] as const;

const here = fileURLToPath(new URL('../../..', import.meta.url));

export function bundleContents(root = here): Contents {
  const packages = neededPackages(root);
  const { version } = readPackage(root);
  const hash = createHash('sha256').update(`${process.version} ${process.platform} ${process.arch}\n`);
  for (const folder of packages) hash.update(`${folder} ${readPackage(path.join(root, folder)).version}\n`);
  for (const file of filesIn(path.join(root, 'dist'))) {
    hash.update(`${path.relative(root, file)}\n`).update(readFileSync(file));
  }
  return { root, folders: ['dist', ...packages], build: `${version}-${hash.digest('hex').slice(0, 12)}` };
}

/** The folders of the packages that are needed to run, found as Node.js finds them. */
function neededPackages(root: string): string[] {
  const found = new Set<string>();
  const waiting = [''];
  for (let from = waiting.pop(); from !== undefined; from = waiting.pop()) {
    const { dependencies = {}, optionalDependencies = {} } = readPackage(path.join(root, from));
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const folder = packageFolder(root, from, name);
      // An optional one may be for another platform.
      if (folder === undefined || found.has(folder)) continue;
      found.add(folder);
      waiting.push(folder);
    }
  }
  // One within another comes with it.
  const all = [...found].sort();
  return all.filter((folder) => !all.some((other) => folder.startsWith(`${other}/`)));
}

function packageFolder(root: string, from: string, name: string): string | undefined {
  for (let at = from; ; at = path.dirname(at)) {
    const folder = path.join(at === '.' ? '' : at, 'node_modules', name);
    if (existsSync(path.join(root, folder, 'package.json'))) return folder;
    if (at === '' || at === '.') return undefined;
  }
}

function readPackage(folder: string): PackageFile {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as PackageFile;
}

function filesIn(folder: string): string[] {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true });
  return all
    .filter((each) => each.isFile() && !/\.(map|d\.ts|md)$|^\.built$/.test(each.name))
    .map((each) => path.join(each.parentPath, each.name))
    .sort();
}
