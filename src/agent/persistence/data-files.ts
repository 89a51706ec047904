/**
 * Which files a member's redis-server loads, and by what they are told apart from those that were there before. Names
 * come from its redis.conf. Redis 7 and Valkey have a folder of AOF parts with a manifest that lists them; before, the
 * AOF was one file, which a newer server takes over when there is no manifest.
 * Source: redis 7.0 `src/aof.c`, "AOF Manifest file implementation" and `aofLoadManifestFromDisk`.
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { readFileIfThere } from '../../base/atomic-file.ts';
import { aofPartNames, nameInFolder } from '../../redis/aof-manifest.ts';
import { directiveKey } from '../../render/merge-directives.ts';
import type { DataKind } from './plan.ts';
import { kindOfSettings } from './plan.ts';

export interface DataFiles {
  rdb: string;
  /** Folder of the parts. */
  aofFolder: string;
  aofManifest: string;
  /** The AOF of a server before 7.0. */
  aofSingle: string;
}

/** @param conf text of redis.conf; empty when there is none. */
export function dataFiles(dataDir: string, conf: string): DataFiles {
  const named = (directive: string, usual: string) => nameInFolder(valueIn(conf, directive)) ?? usual;
  const aof = named('appendfilename', 'appendonly.aof');
  const aofFolder = path.join(dataDir, named('appenddirname', 'appendonlydir'));
  return {
    rdb: path.join(dataDir, named('dbfilename', 'dump.rdb')),
    aofFolder,
    aofManifest: path.join(aofFolder, `${aof}.manifest`),
    aofSingle: path.join(dataDir, aof),
  };
}

/** What a server that starts with this redis.conf keeps up to date; null without one. */
export function kindInConf(conf: string): DataKind {
  const saves = valuesIn(conf, 'save').filter((value) => value !== '');
  return kindOfSettings({ appendonly: valueIn(conf, 'appendonly') === 'yes', save: saves.join(' ') });
}

/** Every part that the manifest lists, oldest first: the base and what was appended since. */
export async function aofParts({ aofFolder, aofManifest, aofSingle }: DataFiles): Promise<string[]> {
  const manifest = await textOf(aofManifest);
  if (manifest === undefined) return [aofSingle];
  return aofPartNames(manifest).map((part) => path.join(aofFolder, part));
}

/** Changes when a rewrite of the AOF is complete, and only then; null when there is no AOF. */
export async function aofStamp({ aofManifest, aofSingle }: DataFiles): Promise<string | null> {
  const manifest = await textOf(aofManifest);
  if (manifest === undefined) return fileStamp(aofSingle, false);
  return manifest.split('\n').find((line) => / type b\b/.test(line)) ?? manifest;
}

/** Changes when a save is complete; null when there is no RDB. */
export async function rdbStamp({ rdb }: DataFiles): Promise<string | null> {
  return fileStamp(rdb, true);
}

/** A file that is written beside and renamed is another one each time. */
async function fileStamp(file: string, withTime: boolean): Promise<string | null> {
  // Redis, and people, may take a file away at any time.
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return null;
  return withTime ? `${found.ino} ${found.mtimeMs} ${found.size}` : `${found.ino} ${found.birthtimeMs}`;
}

/** What can't be read counts as not there. */
function textOf(file: string): Promise<string | undefined> {
  return readFileIfThere(file).catch(() => undefined);
}

export function valueIn(conf: string, directive: string): string | undefined {
  return valuesIn(conf, directive).at(-1);
}

function valuesIn(conf: string, directive: string): string[] {
  return conf
    .split('\n')
    .filter((line) => directiveKey(line) === directive)
    .map((line) => unquoted(line.trim().slice(directive.length).trim()));
}

function unquoted(value: string): string {
  return value.replace(/^"(.*)"$/, '$1').replace(/^'(.*)'$/, '$1');
}
