/** Sources of a migration that lie in a bucket: an object, or the parts of an AOF beside their manifest. */
import { openStore } from '../backup/open-store.ts';
import { restoreSourceAt } from '../backup/restore-source.ts';
import type { StoreOptions } from '../backup/s3-client.ts';
import { errorCode } from '../base/errors.ts';
import type { DataFile } from '../migrate/files/file-feed.ts';
import { aofPartNames } from '../redis/aof-manifest.ts';
import { BadOption } from './errors.ts';

/** A manifest has a line for each part. */
const longestManifest = 2 ** 20;

/**
 * The parts, in the order in which a server loads them.
 * @param url `s3://…`: of an object, of a manifest, or of the folder with a manifest in it
 * @throws BAD_OPTION, BACKUP_NOT_FOUND, RESTORE_SOURCE_UNCLEAR and what the store throws
 */
export async function filesInBucket(url: string, s3: StoreOptions): Promise<DataFile[]> {
  const named = url.replace(/\/+$/, '');
  if (named.endsWith('.manifest')) return await partsBeside(named, s3);
  try {
    return [await objectAt(named, s3)];
  } catch (error) {
    const isFolder = ['BACKUP_NOT_FOUND', 'RESTORE_SOURCE_UNCLEAR'].includes(errorCode(error) ?? '');
    const manifest = isFolder ? await manifestUnder(named, s3) : undefined;
    if (manifest === undefined) throw error;
    return await partsBeside(manifest, s3);
  }
}

async function objectAt(url: string, s3: StoreOptions): Promise<DataFile> {
  const { name, bytes, stamp, open } = await restoreSourceAt(url, s3, {});
  return { name, bytes, stamp: `${url} ${stamp}`, open };
}

async function partsBeside(manifest: string, s3: StoreOptions): Promise<DataFile[]> {
  const names = aofPartNames(await textOf(await objectAt(manifest, s3)));
  if (names.length === 0) throw BadOption(`${manifest} lists no part of an AOF`);
  const folder = manifest.slice(0, manifest.lastIndexOf('/'));
  return await Promise.all(names.map((name) => objectAt(`${folder}/${encodeURIComponent(name)}`, s3)));
}

async function textOf({ name, open }: DataFile): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of open(new AbortController().signal)) {
    bytes += piece.length;
    if (bytes > longestManifest) throw BadOption(`${name} is too long for the manifest of an AOF`);
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** Of a folder: its own, or that of the AOF's folder in it. */
async function manifestUnder(folder: string, s3: StoreOptions): Promise<string | undefined> {
  for (const each of [folder, `${folder}/appendonlydir`]) {
    const objects = await (await openStore(each, s3)).list('');
    const found = objects.filter(
      ({ name, unusable }) => unusable === undefined && name.endsWith('.manifest'),
    );
    if (found.length === 1) return `${each}/${encodeURIComponent(found[0]!.name)}`;
    if (found.length > 1) {
      throw BadOption(`${each} has ${found.length} manifests of an AOF`, {
        hint: `Name one: ${found.map(({ name }) => name).join(', ')}`,
      });
    }
  }
  return undefined;
}
