import { createHash } from 'node:crypto';
import { errorCode, errorText, HoldfastError } from '../base/errors.ts';
import { RdbVerifier, type VerifyReport } from '../rdb/verify.ts';
import type { Credentials, TlsTexts } from '../redis/endpoint.ts';
import { openSnapshot, type Snapshot } from '../redis/replication-stream.ts';
import { BackupFormUnknown, BackupNotWhole, BackupSourceFailed } from './errors.ts';

/** The member that a backup is taken from. */
export interface BackupSource {
  member: string;
  address: string;
  port: number;
  role: 'primary' | 'replica';
  /** `redis 7.0.15` */
  serverVersion: string;
  /** About how large its data is; 0 when unknown. */
  expectedBytes: number;
  credentials: Credentials | undefined;
  tls: TlsTexts | undefined;
}

/** A member's snapshot, verified and summed up while it flows past. */
export class VerifiedSnapshot {
  readonly verifier = new RdbVerifier({ digest: true });
  readonly #source: BackupSource;
  readonly #signal: AbortSignal;
  readonly #hash = createHash('sha256');

  constructor(source: BackupSource, signal: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
  }

  /** @throws BACKUP_SOURCE_FAILED */
  async open(silenceMs: number | undefined): Promise<Snapshot> {
    const { address, port, credentials, tls } = this.#source;
    const silence = silenceMs === undefined ? {} : { silenceMs };
    try {
      return await openSnapshot({ address, port, credentials, tls, signal: this.#signal, ...silence });
    } catch (error) {
      throw this.#sourceFailed(error);
    }
  }

  /** What arrives; a piece is valid until the one after the next is asked for. @throws also BACKUP_NOT_WHOLE */
  async *pieces(snapshot: Snapshot): AsyncGenerator<Buffer> {
    const pieces = snapshot.data[Symbol.asyncIterator]();
    for (;;) {
      let next: IteratorResult<Buffer>;
      try {
        next = await pieces.next();
      } catch (error) {
        throw this.#sourceFailed(error);
      }
      if (next.done) return;
      const piece = next.value;
      const taken = this.#check(() => this.verifier.push(piece));
      if (taken < piece.length) {
        throw this.#notWhole(`${piece.length - taken} bytes follow the end of the RDB`);
      }
      this.#hash.update(piece);
      yield piece;
    }
  }

  /** To be called when all has come. @throws BACKUP_NOT_WHOLE */
  finish(): VerifyReport & { sha256: string } {
    const report = this.#check(() => this.verifier.finish());
    return { ...report, sha256: this.#hash.digest('hex') };
  }

  #check<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (errorCode(error) === 'RDB_UNSUPPORTED') throw this.#notKnown(error);
      throw this.#notWhole(errorText(error), error);
    }
  }

  /** The server is newer than this holdfast: nothing is wrong with it, or with its host. */
  #notKnown(cause: unknown): Error {
    const { member, address, port, serverVersion } = this.#source;
    return BackupFormUnknown(
      `${member} (${address}:${port}, ${serverVersion}) sent what this holdfast can't read, so it can't be verified: ${errorText(cause)}`,
      {
        hint: 'Nothing was stored. A newer holdfast may know this release; see docs/rdb.md for those that are known.',
        cause,
      },
    );
  }

  #notWhole(why: string, cause?: unknown): Error {
    const { member, address, port } = this.#source;
    return BackupNotWhole(`what ${member} (${address}:${port}) sent is not a whole RDB: ${why}`, {
      hint: 'Nothing was stored. Take it from another member (--from), and look at the memory of this one’s host.',
      cause,
    });
  }

  #sourceFailed(error: unknown): unknown {
    if (this.#signal.aborted || !(error instanceof HoldfastError)) return error;
    const { member } = this.#source;
    return BackupSourceFailed(`the backup from ${member} failed, nothing was stored: ${errorText(error)}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}
