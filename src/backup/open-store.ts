import { fileURLToPath } from 'node:url';
import { errorText } from '../base/errors.ts';
import { StoreUrlBad } from './errors.ts';
import { FileStore } from './file-store.ts';
import type { BackupStore } from './store.ts';

/** For S3; a folder needs none of it. Credentials come from where the AWS tools look, never from here. */
export interface StoreOptions {
  /** Where an S3-compatible server listens, such as https://minio.example:9000; null: AWS. */
  endpoint?: string | null;
  /** Null: AWS_REGION, or the shared configuration, or us-east-1 when there is an endpoint. */
  region?: string | null;
  /** The bucket stands in the path and not in the host's name. */
  pathStyle?: boolean;
  serverSideEncryption?: 'AES256' | 'aws:kms' | null;
  kmsKeyId?: string | null;
  /** The least size of an upload's parts; 8 MiB unless given. AWS takes none below 5 MiB. */
  partBytes?: number;
}

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
