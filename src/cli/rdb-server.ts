import { constants } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { defineError, errorText, HoldfastError } from '../base/errors.ts';
import { newestRedisVersion, newestValkeyVersion } from '../rdb/format.ts';
import { highHalf, lowHalf } from '../rdb/int64.ts';
import { dumpedValue } from '../rdb/restore-payload.ts';
import { type Target, targetOfVersionText } from '../rdb/target.ts';
import { RedisConnection } from '../redis/connection.ts';
import { isLockedOut } from '../redis/errors.ts';
import { keyspaces, parseInfo, productOf } from '../redis/info.ts';
import type { Request } from '../redis/link.ts';
import { type AccessFiles, openSide } from './migrate-access.ts';
import { openInput, type RdbInput } from './rdb-input.ts';
import { openOutput } from './rdb-output.ts';

const ServerUnreadable = defineError('RDB_SERVER_UNREADABLE', 1);
const keysAtATime = 512;
/** Long values take a server their time. */
const answerWithinMs = 60_000;

export interface ServerCopy {
  input: RdbInput;
  /** Expiries can be this far off, in ms: servers before Redis 7.0 tell only how long is left. */
  expiryToleranceMs: number;
  dispose(): Promise<void>;
}

/**
 * What a running server can load, by what it says of its release and its modules.
 * @throws RDB_SERVER_UNREADABLE, SERVER_ADDRESS_UNCLEAR, BAD_OPTION
 */
export async function targetOfUrl(url: string, access: AccessFiles): Promise<Target> {
  const { askModules } = await import('../backup/server-modules.ts');
  let redis: RedisConnection | undefined;
  try {
    const server = await connectTo(url, access);
    redis = server;
    const { name, version } = productOf(parseInfo(String(await server.call('INFO', 'server'))));
    const modules = await askModules((command, ...args) => server.call(command, ...args));
    return targetOfVersionText(`${name} ${version}`, modules);
  } catch (error) {
    throw unreadable(
      error,
      `cannot ask ${url} what it can load`,
      'The user needs the rights to INFO and COMMAND. Or name the release: --for redis-7.0.',
    );
  } finally {
    redis?.close();
  }
}

/**
 * Copies what a server holds into a temporary RDB file, with SCAN and DUMP, so that it can be read like any other.
 * It is no snapshot: keys that change meanwhile are seen as they were at some moment of it.
 * @throws as `targetOfUrl`
 */
export async function copyServer(url: string, access: AccessFiles): Promise<ServerCopy> {
  const file = path.join(os.tmpdir(), `holdfast-server-${randomBytes(6).toString('hex')}.rdb`);
  let redis: RedisConnection | undefined;
  try {
    redis = await connectTo(url, access);
    const expiryToleranceMs = await copyAll(redis, file);
    const input = Object.assign(await openInput(file), { name: url });
    return { input, expiryToleranceMs, dispose: () => rm(file, { force: true }) };
  } catch (error) {
    await rm(file, { force: true });
    throw unreadable(
      error,
      `cannot read ${url}`,
      'The user needs the rights to SCAN, DUMP, PTTL, SELECT and INFO.',
    );
  } finally {
    redis?.close();
  }
}

/** @throws what `openSide` throws: a password in the address is refused */
async function connectTo(text: string, access: AccessFiles): Promise<RedisConnection> {
  const place = await openSide(text, access);
  return new RedisConnection({ ...place, timeoutMs: answerWithinMs, maxReplyBytes: constants.MAX_LENGTH });
}

/** What was wrong, unless the command line was: that is told as it is. */
function unreadable(error: unknown, what: string, hint: string): unknown {
  if (error instanceof HoldfastError && error.exitStatus === 2) return error;
  return ServerUnreadable(`${what}: ${errorText(error)}`, {
    hint: isLockedOut(error)
      ? 'Its password lies in a file that only its owner can read: --password-file.'
      : hint,
    cause: error,
  });
}

async function copyAll(redis: RedisConnection, file: string): Promise<number> {
  const { RdbWriter } = await import('../rdb/writer.ts');
  const info = parseInfo(String(await redis.call('INFO')));
  const { name, version } = productOf(info);
  const isValkey9 = name === 'valkey' && Number.parseInt(version, 10) >= 9;
  const hasExpireTime = name === 'valkey' || Number.parseInt(version, 10) >= 7;
  const written = await openOutput(file);
  // The newest version of each: what a server dumps is never newer than it writes.
  const writer = new RdbWriter(
    written.sink,
    isValkey9 ? 'valkey' : 'redis',
    isValkey9 ? newestValkeyVersion : newestRedisVersion,
  );
  try {
    writer.begin([]);
    for (const { db } of keyspaces(info)) {
      await redis.call('SELECT', db);
      writer.selectDb(db);
      await copyDatabase(redis, writer, hasExpireTime, () => written.sink.drain());
    }
    writer.finish();
    await written.commit();
  } finally {
    await written.abandon();
  }
  return hasExpireTime ? 0 : 1000;
}

/** The latest that there can be: a clock that is a little ahead of the server's must not lead beyond it. */
const latestMs = 2n ** 63n - 1n;

/** When a key expires that has so much left. A server before 7.0 does not say it itself. */
export function expiryAfter(leftMs: bigint, nowMs: number): bigint {
  const at = BigInt(nowMs) + leftMs;
  return at > latestMs ? latestMs : at;
}

async function copyDatabase(
  redis: RedisConnection,
  writer: InstanceType<typeof import('../rdb/writer.ts').RdbWriter>,
  hasExpireTime: boolean,
  drain: () => Promise<void> | undefined,
): Promise<void> {
  const seen = new Set<string>();
  let cursor = '0';
  do {
    const scanned = await redis.ask(['SCAN', cursor, 'COUNT', keysAtATime], { raw: true });
    const [next, keys] = scanned as [Buffer, Buffer[]];
    cursor = next.toString();
    // SCAN may give a key twice; an RDB may not have it twice.
    const fresh = keys.filter((key) => {
      const name = key.toString('latin1');
      if (seen.has(name)) return false;
      seen.add(name);
      return true;
    });
    const questions = fresh.flatMap((key): Request[] => [
      ['DUMP', key],
      [hasExpireTime ? 'PEXPIRETIME' : 'PTTL', key],
    ]);
    const replies = await redis.askAll(questions, { raw: true });
    for (const [index, key] of fresh.entries()) {
      const payload = replies[index * 2];
      if (!Buffer.isBuffer(payload)) continue;
      const time = BigInt(String(replies[index * 2 + 1] ?? -1));
      const expireMs = time < 0n || hasExpireTime ? time : expiryAfter(time, Date.now());
      const expiry = { expireHigh: highHalf(expireMs), expireLow: lowHalf(expireMs) };
      const { type, body } = dumpedValue(payload);
      writer.entryHead({ ...expiry, idle: -1, freq: -1, type }, key, 0, key.length);
      writer.bytes(body, 0, body.length);
      writer.settle();
    }
    await drain();
  } while (cursor !== '0');
}
