/** Sources of a migration that are files, here or in S3: an RDB; or an AOF, in one file or in its folder. */
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { StoreOptions } from '../backup/s3-client.ts';
import { errorText } from '../base/errors.ts';
import type { DataFile } from '../migrate/files/file-feed.ts';
import type { SourceFacts } from '../migrate/preflight.ts';
import { readHead } from '../rdb/head.ts';
import { aofPartNames } from '../redis/aof-manifest.ts';
import { serverFacts } from '../redis/server-facts.ts';
import type { FiniteSource } from '../stream/feed.ts';
import { BadOption } from './errors.ts';
import { filesInBucket } from './migrate-buckets.ts';
import { openInput } from './rdb-input.ts';

/**
 * The parts, in the order in which a server loads them.
 * @param url of S3, or an absolute path. @param s3 where the bucket is
 * @throws BAD_OPTION, RDB_UNREADABLE, BACKUP_NOT_FOUND and what the store throws
 */
export async function dataFiles(url: string, s3: StoreOptions): Promise<DataFile[]> {
  if (url.startsWith('s3://')) return await filesInBucket(url, s3);
  const paths = await partsOf(url);
  return await Promise.all(paths.map(localFile));
}

/** What is known of a file before it is read to its end, in the words of a server. @throws what reading it throws, RDB_CORRUPT */
export async function factsOfFile({ name, open }: FiniteSource): Promise<SourceFacts> {
  const stop = new AbortController();
  const feed = await open(null, stop.signal);
  try {
    const { snapshot } = feed;
    const aux = snapshot === undefined ? {} : (await readHead(snapshot.data)).aux;
    const valkey = aux['valkey-ver'];
    return {
      ...serverFacts(''),
      name,
      product: valkey === undefined ? 'redis' : 'valkey',
      version: valkey ?? aux['redis-ver'] ?? '',
      role: 'file',
      // What an RDB takes in memory is more, as a rule; nobody knows before it was read.
      dataBytes: snapshot?.bytes ?? 0,
      ...{ refusal: null, rights: null },
    };
  } finally {
    feed.close();
  }
}

async function partsOf(file: string): Promise<string[]> {
  const manifest = file.endsWith('.manifest') ? file : await manifestIn(file);
  if (manifest === undefined) return [file];
  const names = aofPartNames(
    await readFile(manifest, 'utf8').catch((error) => Promise.reject(unreadable(error))),
  );
  if (names.length > 0) return names.map((name) => path.join(path.dirname(manifest), name));
  throw BadOption(`${manifest} lists no part of an AOF`, {
    hint: 'Name the folder of the AOF, or an RDB file.',
  });
}

/** Of a folder: its own, or that of the AOF's folder in it. */
async function manifestIn(folder: string): Promise<string | undefined> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) return undefined;
  const tried = [folder, path.join(folder, 'appendonlydir')];
  for (const each of tried) {
    const names = (await readdir(each).catch(() => [])).filter((name) => name.endsWith('.manifest'));
    if (names.length === 1) return path.join(each, names[0]!);
    if (names.length > 1)
      throw BadOption(`${each} has ${names.length} manifests of an AOF`, {
        hint: `Name one: ${names.join(', ')}`,
      });
  }
  throw BadOption(`${folder} is a folder without an AOF`, {
    hint: 'Name an RDB file, or the folder with the AOF’s parts and their manifest.',
  });
}

async function localFile(file: string): Promise<DataFile> {
  const input = await openInput(file);
  const { ino, mtimeMs } = await stat(file);
  return {
    name: file,
    bytes: input.size,
    stamp: `${file} ${ino} ${input.size} ${mtimeMs}`,
    open: () => input.open(),
  };
}

function unreadable(error: unknown): Error {
  return BadOption(errorText(error), { hint: 'Name a file that can be read.' });
}
