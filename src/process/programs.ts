import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/opt/homebrew/bin', '/usr/local/bin'];

/** The full path of a program: from PATH, or from the folders where servers live; undefined when it is in none. */
export function findProgram(name: string): string | undefined {
  return placesOf(name).find(isExecutable);
}

/** All of that name, each in the folder where it lies: the one that a shell would run first. */
export function findPrograms(name: string): string[] {
  return [...new Set(placesOf(name))].filter(isExecutable);
}

function placesOf(name: string): string[] {
  if (name.includes('/')) return [name];
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  return [...folders, ...systemFolders].map((folder) => path.join(folder, name));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface ServerVersion {
  product: 'Redis' | 'Valkey';
  version: string;
  major: number;
  minor: number;
}

/** Runs `redis-server --version` and reads it: `Redis server v=7.0.15 sha=…` or `Valkey server v=8.0.1 …`. */
export async function serverVersion(program: string): Promise<ServerVersion | undefined> {
  const { stdout } = await promisify(execFile)(program, ['--version'], { timeout: 5000 });
  const match = /(Redis|Valkey) server v=(\d+)\.(\d+)\S*/.exec(stdout);
  if (!match) return undefined;
  return {
    product: match[1] as 'Redis' | 'Valkey',
    version: /v=(\S+)/.exec(stdout)?.[1] ?? '',
    major: Number(match[2]),
    minor: Number(match[3]),
  };
}
