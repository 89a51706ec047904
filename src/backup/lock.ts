import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { z } from 'zod';
import { type Clock, systemClock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { pause } from '../base/retry.ts';
import { identify, isRunning } from '../process/identity.ts';
import { clocksDifferMs } from './dates.ts';
import { BackupBusy, BackupLockLost } from './errors.ts';
import { readSmall } from './manifest.ts';
import type { BackupStore } from './store.ts';

/**
 * One at a time writes to a store or prunes it: whoever does holds `holdfast.lock` there, an object that says who and
 * until when, and renews it all the while. A second one is refused, with the first one's name.
 *
 * - It is made with `ifAbsent`, which folders and S3 do in one step. A store that ignores the condition (old
 *   S3-compatible servers) lets two through that begin within the same moment; each reads back what it wrote, and
 *   checks again before a backup gets its manifest, so one of them gives up. Neither can damage the other's backup.
 * - A lock outlives its holder. It is taken over at once when the holder was a process of this machine that is gone;
 *   else when its time is up and it has not been renewed while we watched, so a wrong clock alone frees no lock. Nor does
 *   one keep it: a time that is further ahead than any holder may set says nothing, and then we watch for as long as a
 *   lock is good for.
 */
const lockName = 'holdfast.lock';
const renewMs = 10_000;
const lifetimeMs = 60_000;

const lockSchema = z.object({
  holder: z.string(),
  token: z.string(),
  since: z.string(),
  expiresMs: z.number(),
  /** For those on the same machine. */
  process: z.object({ boot: z.string(), pid: z.number(), startTime: z.string() }).optional(),
});

type LockText = z.infer<typeof lockSchema>;

export interface StoreLock {
  /** Aborted when the lock was lost. */
  readonly signal: AbortSignal;
  /** @throws BACKUP_LOCK_LOST when it is no longer ours. */
  check(): Promise<void>;
  release(): Promise<void>;
}

/**
 * @param holder who, for those who are refused: `agent of host a`.
 * @throws BACKUP_BUSY when somebody else holds it, with the name.
 */
export async function lockStore(
  store: BackupStore,
  holder: string,
  signal?: AbortSignal,
  clock: Clock = systemClock,
): Promise<StoreLock> {
  const own: LockText = {
    holder,
    token: randomBytes(12).toString('hex'),
    since: new Date(clock.wallMs()).toISOString(),
    expiresMs: clock.wallMs() + lifetimeMs,
    ...thisProcess(),
  };
  if (!(await store.put(lockName, asBytes(own), { ifAbsent: true }))) {
    const theirs = await read(store);
    // A request that was tried again may have met what it had written itself.
    const isOurs = theirs?.token === own.token;
    if (theirs !== undefined && !isOurs && !(await isAbandoned(store, theirs, signal, clock))) {
      throw busy(store, theirs);
    }
    await store.put(lockName, asBytes(own));
  }
  const now = await read(store);
  if (now?.token !== own.token) throw busy(store, now);
  return hold(store, own, clock);
}

function hold(store: BackupStore, own: LockText, clock: Clock): StoreLock {
  const lost = new AbortController();
  let renewing: Promise<void> = Promise.resolve();
  let missed = 0;
  const check = async () => {
    const now = await read(store);
    if (now?.token === own.token) return;
    const by = now === undefined ? 'it was removed' : `${now.holder} has it now`;
    throw BackupLockLost(`the lock on ${store.url} was lost: ${by}`, {
      hint: 'Nothing was stored. Take the backup again when the other is done.',
    });
  };
  const renew = async () => {
    try {
      await check();
      await store.put(lockName, asBytes({ ...own, expiresMs: clock.wallMs() + lifetimeMs }));
      missed = 0;
    } catch (error) {
      const isLost = error instanceof Error && 'code' in error && error.code === 'BACKUP_LOCK_LOST';
      missed++;
      // A store that does not answer once may answer the next time; the lock is good for a minute.
      if (isLost || missed * renewMs >= lifetimeMs - renewMs) lost.abort(error);
    }
  };
  const timer = setInterval(() => {
    renewing = renewing.then(renew);
  }, renewMs);
  timer.unref();
  return {
    signal: lost.signal,
    check,
    release: async () => {
      clearInterval(timer);
      await renewing;
      // One that was lost is another's to remove.
      if ((await read(store))?.token === own.token) await store.remove(lockName);
    },
  };
}

async function isAbandoned(
  store: BackupStore,
  theirs: LockText,
  signal: AbortSignal | undefined,
  clock: Clock,
): Promise<boolean> {
  const { process: holder } = theirs;
  if (holder !== undefined && holder.boot === bootId()) return !isRunning(holder);
  const leftMs = theirs.expiresMs - clock.wallMs();
  if (leftMs > 0 && leftMs <= lifetimeMs + clocksDifferMs) return false;
  await pause(leftMs > 0 ? lifetimeMs : renewMs * 1.5, signal);
  const again = await read(store);
  return again === undefined || (again.token === theirs.token && again.expiresMs === theirs.expiresMs);
}

async function read(store: BackupStore): Promise<LockText | undefined> {
  const text = await readSmall(store, lockName);
  if (text === undefined) return undefined;
  try {
    return lockSchema.parse(JSON.parse(text));
  } catch (error) {
    throw BackupBusy(`${store.url}/${lockName} is no lock of holdfast: ${errorText(error)}`, {
      hint: 'If no backup is being taken there, remove it.',
      cause: error,
    });
  }
}

function busy(store: BackupStore, theirs: LockText | undefined): Error {
  const who = theirs === undefined ? 'somebody else' : `${theirs.holder}, since ${theirs.since},`;
  return BackupBusy(`${who} is at work in ${store.url}`, {
    hint: `Wait until it is done. If that process is gone, its lock (${lockName}) is free a minute after it died.`,
  });
}

function asBytes(text: LockText): Buffer {
  return Buffer.from(`${JSON.stringify(text)}\n`);
}

function thisProcess(): Pick<LockText, 'process'> {
  const identity = identify(process.pid);
  return identity === undefined ? {} : { process: { ...identity, boot: bootId() } };
}

/** Which machine, since when: pids say nothing beyond it. In a container the host's name tells it from its neighbours. */
function bootId(): string {
  try {
    return `${os.hostname()} ${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}`;
  } catch {
    return os.hostname();
  }
}
