import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import * as zlib from 'node:zlib';
import { errorCode, errorText } from '../base/errors.ts';
import { through } from '../base/through.ts';
import { unzstd } from '../base/unzstd.ts';
import { BackupKeyNeeded, CompressorMissing } from './errors.ts';
import type { Manifest } from './manifest.ts';
import type { PackedAs } from './naming.ts';

/**
 * What is done to an RDB before it is stored: compressed first, then encrypted, each in the format of the standard
 * tools, so that `age -d -i key.txt backup.rdb.zst.age | zstd -d` opens it without holdfast.
 *
 * A piece that goes in must stay as it is until the next is asked for; one that comes out, until the one after the
 * next is.
 */

/** What opens an encrypted backup: age identities (`AGE-SECRET-KEY-1…`). */
export interface BackupKeys {
  identities?: readonly string[];
}

type Compression = Manifest['compression'];

const chunkBytes = 256 * 1024;

/** Compresses and encrypts. `recipients` are age public keys; they must be there when it is to be encrypted. */
export function packed(
  pieces: AsyncIterable<Buffer>,
  as: PackedAs,
  recipients: readonly string[],
): AsyncIterable<Buffer> {
  const smaller = compressed(pieces, as.compression);
  return as.encryption === 'age' ? encrypted(smaller, recipients) : smaller;
}

function compressed(pieces: AsyncIterable<Buffer>, compression: Compression): AsyncIterable<Buffer> {
  if (compression === 'none') return pieces;
  if (compression === 'zstd') {
    const own = ownZstd?.();
    return own ? through(pieces, own, own) : zstdProgram(pieces);
  }
  const gzip = zlib.createGzip({ level: zlib.constants.Z_BEST_SPEED, chunkSize: chunkBytes });
  return through(pieces, gzip, gzip);
}

export function unpacked(pieces: AsyncIterable<Buffer>, compression: Compression): AsyncIterable<Buffer> {
  if (compression === 'none') return pieces;
  if (compression === 'zstd') return unzstd(pieces);
  const gunzip = zlib.createGunzip({ chunkSize: chunkBytes });
  return through(pieces, gunzip, gunzip);
}

/** Node's own, which it has from 22.15 on; its types here are those of Node 20. It works on another thread. */
const ownZstd = (zlib as { createZstdCompress?: () => Duplex }).createZstdCompress;

/**
 * Before that, the `zstd` program: it is on every distribution, works beside us on another core, and its output is the
 * standard format. See docs/decisions.
 */
async function* zstdProgram(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const child = spawn('zstd', ['-q', '-c', '-3', '-'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-500);
  });
  const ended = once(child, 'close').then(([status]) => {
    if (status !== 0) throw new Error(`zstd ended with status ${status}: ${said.trim()}`);
  });
  ended.catch(() => {});
  try {
    yield* through(pieces, child.stdin, child.stdout);
    await ended;
  } catch (error) {
    throw await zstdFailure(error, child, ended);
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
}

async function zstdFailure(error: unknown, child: ChildProcess, ended: Promise<void>): Promise<unknown> {
  // When it died, what it said is the reason, and not the pipe that broke.
  if (errorCode(error) !== 'EPIPE' && errorCode(error) !== 'ENOENT') return error;
  const reason: unknown = child.pid === undefined ? error : await ended.then(() => error).catch((why) => why);
  if (child.pid !== undefined) return reason;
  return CompressorMissing('cannot compress: there is no zstd program on this host', {
    hint: 'Install the package zstd, run holdfast on Node.js 22.15 or newer, or set backup.compression to gzip or none.',
    cause: error,
  });
}

async function* encrypted(
  pieces: AsyncIterable<Buffer>,
  recipients: readonly string[],
): AsyncGenerator<Buffer> {
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  yield* fromWeb(await encrypter.encrypt(toWeb(pieces)));
}

/** @throws BACKUP_KEY_NEEDED when no identity fits. */
export async function decrypted(
  pieces: AsyncIterable<Buffer>,
  { id }: Manifest,
  { identities = [] }: BackupKeys,
): Promise<AsyncIterable<Buffer>> {
  const hint = 'Name the file with the age identity whose public key is in backup.encryption.recipients.';
  if (identities.length === 0)
    throw BackupKeyNeeded(`${id} is encrypted, and no identity was given`, { hint });
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  try {
    for (const identity of identities) decrypter.addIdentity(identity);
  } catch {
    // Its own message may quote what was given.
    throw BackupKeyNeeded('what was given as an age identity is none; it begins with AGE-SECRET-KEY-1', {
      hint,
    });
  }
  try {
    return fromWeb(await decrypter.decrypt(toWeb(pieces)));
  } catch (error) {
    if (!errorText(error).startsWith('no identity matched')) throw error;
    throw BackupKeyNeeded(`${id} is encrypted for others: none of the identities given opens it`, {
      hint,
      cause: error,
    });
  }
}

/** Copies each piece: a web stream may hold it while the next is fetched. */
function toWeb(pieces: AsyncIterable<Buffer>): ReadableStream<Uint8Array> {
  const source = pieces[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const next = await source.next();
        if (next.done) controller.close();
        else controller.enqueue(new Uint8Array(next.value));
      },
      cancel: async () => {
        await source.return?.();
      },
    },
    { highWaterMark: 1 },
  );
}

async function* fromWeb(stream: ReadableStream<Uint8Array>): AsyncGenerator<Buffer> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (value.length > 0) yield Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
