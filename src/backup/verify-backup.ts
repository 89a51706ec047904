/**
 * Proves a backup by restoring it: its bytes are compared with the manifest's checksums, a scratch redis-server loads
 * them, and what that one holds and writes back is compared with what the manifest says: keys and expiries by database,
 * functions, and the digest over all keys, types, values and expiries. The scratch server keeps keys that have expired
 * since, so time alone makes nothing differ.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Clock, systemClock } from '../base/clock.ts';
import { HoldfastError } from '../base/errors.ts';
import { describeSize } from '../base/size.ts';
import { DataDigest } from '../rdb/data-digest.ts';
import { pump } from '../rdb/pump.ts';
import { RdbVerifier, type VerifyReport } from '../rdb/verify.ts';
import { productOf } from '../redis/info.ts';
import type { Spec } from '../spec/spec.ts';
import { loadIn } from './load-in-scratch.ts';
import { findLoader } from './loader.ts';
import type { Manifest } from './manifest.ts';
import { openBackup } from './open.ts';
import type { BackupKeys } from './packing.ts';
import { type ScratchOptions, ScratchServer } from './scratch-server.ts';
import type { BackupStore } from './store.ts';
import { type Verified, writeVerified } from './verified.ts';

export interface VerifyBackupOptions {
  store: BackupStore;
  manifest: Manifest;
  keys: BackupKeys;
  redisServer: string;
  /** Must have room for two copies of the RDB. */
  workFolder: string;
  loadModules: readonly string[];
  report: (step: string) => void;
  signal?: AbortSignal | undefined;
  clock?: Clock;
}

const defaultDatabases = 16;

/**
 * @returns the verdict, which is also written to the store.
 * @throws when nothing can be said of the backup: no room, no key, no answer from the store, no server.
 */
export async function verifyBackup(options: VerifyBackupOptions): Promise<Verified> {
  const { store, manifest, clock = systemClock } = options;
  const startedMs = clock.monotonicMs();
  const highest = Math.max(0, ...manifest.databases.map(({ db }) => db));
  const databases = Math.max(defaultDatabases, highest + 1);
  const redisServer = await findLoader(manifest, options.redisServer);
  const scratch = new ScratchServer({ ...options, redisServer, databases });
  let problems: string[] = [];
  let found = { keys: 0, serverVersion: '' };
  try {
    await scratch.checkRoom(manifest.rdb.bytes * 2);
    try {
      found = await proveBy(scratch, { ...options, redisServer, databases }, problems);
    } catch (error) {
      if (!(error instanceof HoldfastError) || !saysItIsBad.has(error.code)) throw error;
      problems = [...problems, error.message];
    }
  } finally {
    await scratch.stop();
  }
  const verdict: Verified = {
    version: 1,
    id: manifest.id,
    at: new Date(clock.wallMs()).toISOString(),
    good: problems.length === 0,
    problems,
    keys: found.keys,
    tookMs: Math.round(clock.monotonicMs() - startedMs),
    serverVersion: found.serverVersion,
  };
  await writeVerified(store, verdict);
  return verdict;
}

/** The modules that the deployment's own servers load. */
export function modulesOf({ redis }: Spec): string[] {
  return (redis.config['loadmodule'] ?? []).map(String);
}

const saysItIsBad = new Set(['BACKUP_DAMAGED', 'RDB_CORRUPT', 'RDB_TRUNCATED', 'SCRATCH_LOAD_FAILED']);

async function proveBy(
  scratch: ScratchServer,
  options: VerifyBackupOptions & ScratchOptions,
  problems: string[],
): Promise<{ keys: number; serverVersion: string }> {
  const { store, manifest, keys, report, signal } = options;
  report(`fetching ${manifest.object}, ${describeSize(manifest.stored.bytes)}`);
  await pipeline(
    Readable.from(copies(openBackup(store, manifest, keys, signal))),
    createWriteStream(scratch.file, { mode: 0o600 }),
  );
  report(`loading ${manifest.keys} keys into a scratch server`);
  await loadIn(scratch, manifest.id, options);
  const { name, version } = productOf(await scratch.client.info('server'));
  const serverVersion = `${name} ${version}`;
  compareDatabases(manifest, await scratch.keyspace(), problems);
  report('comparing what it holds with the manifest');
  await scratch.save();
  compareContent(manifest, await readBack(scratch.file, signal), problems);
  return { keys: await scratch.keys(), serverVersion };
}

/** A stream holds what it is given, and a backup's pieces are used again. */
async function* copies(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of pieces) yield Buffer.from(piece);
}

async function readBack(file: string, signal: AbortSignal | undefined): Promise<VerifyReport> {
  const verifier = new RdbVerifier({ digest: true });
  const source = createReadStream(file, { highWaterMark: 512 * 1024, ...(signal ? { signal } : {}) });
  await pump(source as AsyncIterable<Buffer>, verifier.scanner);
  return verifier.finish();
}

function compareDatabases(manifest: Manifest, found: Manifest['databases'], problems: string[]): void {
  const numbers = new Set([...manifest.databases, ...found].map(({ db }) => db));
  for (const db of [...numbers].sort((a, b) => a - b)) {
    const wanted = manifest.databases.find((each) => each.db === db) ?? { keys: 0, expiring: 0 };
    const loaded = found.find((each) => each.db === db) ?? { keys: 0, expiring: 0 };
    if (wanted.keys === loaded.keys && wanted.expiring === loaded.expiring) continue;
    problems.push(
      `database ${db} has ${loaded.keys} keys, ${loaded.expiring} of them expiring, when it is loaded; the manifest says ${wanted.keys} and ${wanted.expiring}`,
    );
  }
}

function compareContent(manifest: Manifest, report: VerifyReport, problems: string[]): void {
  if (report.functions !== manifest.functions) {
    problems.push(
      `${report.functions} function libraries were loaded; the manifest says ${manifest.functions}`,
    );
  }
  // A sum of another algorithm says nothing.
  if (!manifest.dataDigest.startsWith(DataDigest.prefix)) return;
  if (report.dataDigest === manifest.dataDigest) return;
  problems.push(
    `the digest over all keys, types, values and expiries is ${report.dataDigest}; the manifest says ${manifest.dataDigest}`,
  );
}
