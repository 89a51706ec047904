import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Clock, systemClock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { describeProblem } from '../rdb/errors.ts';
import type { Snapshot } from '../redis/replication-stream.ts';
import { BackupCancelled } from './errors.ts';
import { lockStore, type StoreLock } from './lock.ts';
import { type Manifest, writeManifest } from './manifest.ts';
import { backupId, manifestName, objectName } from './naming.ts';
import { packed } from './packing.ts';
import type { BackupStore, Upload } from './store.ts';
import { type BackupSource, VerifiedSnapshot } from './verified-snapshot.ts';
import { holdfastVersion } from './version.ts';

export interface TakeProgress {
  /** The snapshot is asked for; it streams; all of it has come, and the store is being waited for. */
  step: 'waiting' | 'streaming' | 'finishing';
  rdbBytes: number;
  storedBytes: number;
  keys: number;
}

export interface TakeOptions {
  deployment: string;
  source: BackupSource;
  store: BackupStore;
  reason: Manifest['reason'];
  compression: Manifest['compression'];
  /** age public keys; none: it is not encrypted. */
  recipients: readonly string[];
  /** Who takes it, for those who are refused meanwhile: `the agent of host a`, `backup now on host a`. */
  holder: string;
  report?: ((progress: TakeProgress) => void) | undefined;
  /** Hears what went wrong without harm to the backup. */
  note?: ((text: string) => void) | undefined;
  /** Aborts the upload; nothing is left behind. */
  signal?: AbortSignal | undefined;
  clock?: Clock | undefined;
  /** Longest silence of the source, in ms; a minute unless given. */
  silenceMs?: number | undefined;
}

/**
 * Takes one backup. It is in the store, whole and verified, when this returns; when it throws, it is not, and nothing
 * is left behind: the object is given its name only after all of it was verified, and its manifest after that.
 * @throws BACKUP_BUSY, BACKUP_SOURCE_FAILED, BACKUP_NOT_WHOLE, BACKUP_CANCELLED, and what the store throws.
 */
export async function takeBackup(options: TakeOptions): Promise<Manifest> {
  const { store, signal, clock = systemClock } = options;
  throwIfCancelled(signal);
  const lock = await lockStore(store, options.holder, signal, clock).catch((error: unknown) => {
    throwIfCancelled(signal);
    throw error;
  });
  try {
    await sweepLeftovers(options);
    const either = AbortSignal.any([lock.signal, ...(signal ? [signal] : [])]);
    return await new Taking(options, clock, either, lock).run();
  } catch (error) {
    if (lock.signal.aborted) throw lock.signal.reason;
    throwIfCancelled(signal);
    throw error;
  } finally {
    await lock.release().catch(() => {});
  }
}

type Verified = ReturnType<VerifiedSnapshot['finish']>;

class Taking {
  readonly #options: TakeOptions;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #lock: StoreLock;
  readonly #snapshot: VerifiedSnapshot;
  readonly #storedHash = createHash('sha256');
  readonly #isPlain: boolean;
  #storedBytes = 0;
  #step: TakeProgress['step'] = 'waiting';

  constructor(options: TakeOptions, clock: Clock, signal: AbortSignal, lock: StoreLock) {
    this.#options = options;
    this.#clock = clock;
    this.#signal = signal;
    this.#lock = lock;
    this.#snapshot = new VerifiedSnapshot(options.source, signal);
    this.#isPlain = options.compression === 'none' && options.recipients.length === 0;
  }

  async run(): Promise<Manifest> {
    const { store, source } = this.#options;
    const { id, startedMs } = await this.#freeId();
    const started = this.#clock.monotonicMs();
    this.#report();
    const snapshot = await this.#snapshot.open(this.#options.silenceMs);
    const as = {
      compression: this.#options.compression,
      encryption: this.#options.recipients.length > 0 ? 'age' : 'none',
    } as const;
    const object = objectName(id, as);
    let verified: Verified;
    try {
      verified = await this.#stream(snapshot, as, object);
    } finally {
      snapshot.close();
    }
    const stored = { bytes: this.#storedBytes, sha256: '' };
    const rdb = { bytes: verified.bytes, sha256: verified.sha256 };
    stored.sha256 = this.#isPlain ? rdb.sha256 : this.#storedHash.digest('hex');
    const manifest: Manifest = {
      version: 1,
      id,
      deployment: this.#options.deployment,
      object,
      startedAt: new Date(startedMs).toISOString(),
      finishedAt: new Date(this.#clock.wallMs()).toISOString(),
      durationMs: Math.round(this.#clock.monotonicMs() - started),
      source: { member: source.member, address: source.address, port: source.port, role: source.role },
      serverVersion: source.serverVersion,
      holdfastVersion: holdfastVersion(),
      rdbVersion: verified.version,
      replicationId: snapshot.replicationId,
      replicationOffset: snapshot.replicationOffset,
      keys: verified.keys,
      databases: verified.databases,
      functions: verified.functions,
      dataDigest: verified.dataDigest ?? '',
      rdb,
      stored,
      ...as,
      reason: this.#options.reason,
    };
    await this.#publish(store, manifest);
    return manifest;
  }

  /** The id of this second, or of the next when there is such a backup already. */
  async #freeId(): Promise<{ id: string; startedMs: number }> {
    for (;;) {
      const startedMs = this.#clock.wallMs();
      const id = backupId(startedMs);
      if ((await this.#options.store.list(id)).length === 0) return { id, startedMs };
      await delay(1000 - (startedMs % 1000), undefined, { signal: this.#signal });
    }
  }

  async #stream(
    snapshot: Snapshot,
    as: Pick<Manifest, 'compression' | 'encryption'>,
    object: string,
  ): Promise<Verified> {
    const upload = await this.#options.store.upload(object, {
      expectedBytes: snapshot.bytes ?? this.#options.source.expectedBytes,
    });
    try {
      this.#step = 'streaming';
      // A piece is written while the next is verified; it must be out before the one after that is asked for.
      let writing = Promise.resolve();
      for await (const piece of packed(this.#snapshot.pieces(snapshot), as, this.#options.recipients)) {
        this.#signal.throwIfAborted();
        if (!this.#isPlain) this.#storedHash.update(piece);
        this.#storedBytes += piece.length;
        await writing;
        writing = upload.write(piece);
        // It is waited for a turn later, and until then its failure is nobody's.
        writing.catch(() => {});
        this.#report();
      }
      await writing;
      const report = this.#snapshot.finish();
      // No healthy server has such keys; but a backup without them is better than none.
      const [problem] = report.problems;
      if (problem) this.#options.note?.(`${report.problemCount} keys are odd: ${describeProblem(problem)}`);
      this.#step = 'finishing';
      this.#report();
      await this.#commit(upload);
      return report;
    } catch (error) {
      await upload.abandon().catch(() => {});
      throw error;
    }
  }

  async #commit(upload: Upload): Promise<void> {
    await this.#lock.check();
    this.#signal.throwIfAborted();
    await upload.commit();
  }

  /** From here on it is a backup; what fails before takes the data away again. */
  async #publish(store: BackupStore, manifest: Manifest): Promise<void> {
    try {
      this.#signal.throwIfAborted();
      await writeManifest(store, manifest);
    } catch (error) {
      // The manifest may have arrived all the same, when only the answer was lost: it goes first.
      await store.remove(manifestName(manifest.id)).catch(() => {});
      await store.remove(manifest.object).catch(() => {});
      throw error;
    }
  }

  #report(): void {
    this.#options.report?.({
      step: this.#step,
      rdbBytes: this.#snapshot.verifier.bytes,
      storedBytes: this.#storedBytes,
      keys: this.#snapshot.verifier.keys,
    });
  }
}

/** Whatever is unfinished now was left by one who is gone: the lock is ours. */
async function sweepLeftovers({ store, note }: TakeOptions): Promise<void> {
  try {
    const swept = await store.sweep(Number.POSITIVE_INFINITY);
    if (swept > 0) note?.(`removed ${swept} unfinished uploads of backups that were interrupted`);
  } catch (error) {
    // It costs room in the store, and no backup.
    note?.(`unfinished uploads were not looked for: ${errorText(error)}`);
  }
}

function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw BackupCancelled('the backup was cancelled; nothing was stored', { cause: signal.reason });
}
