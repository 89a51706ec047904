import { fileURLToPath } from 'node:url';
import { errorText } from '../base/errors.ts';
import { StoreUrlBad } from './errors.ts';
import { FileStore } from './file-store.ts';
import type { StoreOptions } from './s3-client.ts';
import type { BackupStore } from './store.ts';

/** @throws BACKUP_STORE_URL_BAD when it is neither `file:///folder` nor `s3://bucket/prefix`. */
export async function openStore(url: string, options: StoreOptions = {}): Promise<BackupStore> {
  if (url.startsWith('file:///')) return new FileStore(url, folderOf(url));
  const s3 = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(url);
  if (s3) {
    // The SDK is large: only those who use it wait for it.
    const { S3Store } = await import('./s3-store.ts');
    return new S3Store(url, s3[1] as string, s3[2] ?? '', options);
  }
  throw StoreUrlBad(`'${url}' is no place for backups`, {
    hint: 'It must be file:///absolute/folder or s3://bucket/prefix.',
  });
}

function folderOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw StoreUrlBad(`'${url}' names no folder: ${errorText(error)}`, {
      hint: 'It must be file:///absolute/folder.',
    });
  }
}
