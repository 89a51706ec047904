import { randomBytes } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import type { Manifest } from '../../src/backup/manifest.ts';
import { openBackup } from '../../src/backup/open.ts';
import { openStore } from '../../src/backup/open-store.ts';
import type { BackupKeys } from '../../src/backup/packing.ts';
import type { BackupStore } from '../../src/backup/store.ts';
import { type TakeOptions, takeBackup } from '../../src/backup/take.ts';
import { RdbVerifier, type VerifyReport } from '../../src/rdb/verify.ts';
import { client, type Server, startRedis, tempFolder } from './redis-processes.ts';
import type { S3Server } from './s3-server.ts';

/** A server whose RDB has about this many bytes, a thousand a key. */
export async function startFilled(megabytes: number): Promise<Server> {
  const server = await startRedis(['--rdbcompression', 'no']);
  await client(server.port).call('DEBUG', 'POPULATE', megabytes * 1000, 'key', 1000);
  return server;
}

/** Makes saving slow, so that something can happen meanwhile; 0 makes it quick again. */
export async function slowDown(server: Server, microsecondsPerKey: number): Promise<void> {
  await client(server.port).config('SET', 'rdb-key-save-delay', microsecondsPerKey);
}

export function optionsFor(
  server: Server,
  store: BackupStore,
  extra: Partial<TakeOptions> = {},
): TakeOptions {
  return {
    deployment: 'test',
    source: {
      member: 'redis-1',
      address: '127.0.0.1',
      port: server.port,
      role: 'primary',
      serverVersion: 'redis',
      expectedBytes: 0,
      credentials: undefined,
      tls: undefined,
    },
    store,
    reason: 'manual',
    compression: 'none',
    recipients: [],
    holder: 'the test',
    ...extra,
  };
}

export function take(
  server: Server,
  store: BackupStore,
  extra: Partial<TakeOptions> = {},
): Promise<Manifest> {
  return takeBackup(optionsFor(server, store, extra));
}

/** Reads a backup to its end, verified like any RDB. */
export async function readBack(
  store: BackupStore,
  manifest: Manifest,
  keys: BackupKeys = {},
): Promise<VerifyReport> {
  const verifier = new RdbVerifier({ digest: true });
  for await (const piece of openBackup(store, manifest, keys)) verifier.push(piece);
  return verifier.finish();
}

/** Reads a backup to its end, and looks at nothing. */
export async function drain(store: BackupStore, manifest: Manifest, keys: BackupKeys = {}): Promise<void> {
  for await (const _ of openBackup(store, manifest, keys));
}

export interface StoreKind {
  name: string;
  open(): Promise<{ store: BackupStore; fileOf(object: string): string }>;
}

/** A folder and a bucket, each new for every test; `fileOf` is where an object lies on the disk. */
export function storeKinds(s3: () => S3Server): StoreKind[] {
  return [
    {
      name: 'a folder',
      open: async () => {
        const folder = tempFolder();
        return {
          store: await openStore(pathToFileURL(folder).href),
          fileOf: (object) => `${folder}/${object}`,
        };
      },
    },
    {
      name: 'a bucket',
      open: async () => {
        const prefix = `p${randomBytes(4).toString('hex')}`;
        return {
          store: await s3().open(prefix),
          fileOf: (object) => `${s3().folder}/bucket/${prefix}/${object}._S3rver_object`,
        };
      },
    },
  ];
}

export async function objectNames(store: BackupStore): Promise<string[]> {
  return (await store.list('')).map(({ name }) => name).toSorted();
}
