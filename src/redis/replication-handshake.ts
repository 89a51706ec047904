/**
 * What a replica and its primary say to each other before any data comes.
 *
 * 1. AUTH; then REPLCONF capa eof psync2, so that the server may send while it saves.
 * 2. REPLCONF version 9.0.0 (Valkey 8 and later know it): what we read is at least what a replica of that release
 *    reads. A Valkey 9 that was not told writes for 7.2, and fails when a field of a hash has an expiry, which 7.2 has
 *    not. It must be no higher than the newest release whose form is known here, or the server may send a newer one.
 *    Other servers refuse it, and write the one form that they have.
 * 3. REPLCONF listening-port 65536. INFO of the server lists us while it sends, and Sentinels take every replica that
 *    the primary lists into their books for good. They refuse one whose port cannot be. Who reads for a member says so by the port
 *    above that: 65536 and the member's; and by REPLCONF ip-address.
 * 4. PSYNC. While the server saves it sends line feeds; then `$<length>` or `$EOF:<mark>`, and the RDB.
 *
 * Source: replication.c (syncCommand, replconfCommand) and sentinel.c (createSentinelAddr) of Redis 6.2 to 8.6;
 * replication.c (replicaRdbVersion) of Valkey 9.1.
 */
import { writeRequest } from '../resp/write.ts';
import type { Address, Credentials } from './endpoint.ts';
import { ReplicationRefused } from './errors.ts';
import { abovePorts } from './info.ts';
import { refusedLogin } from './login-refusal.ts';
import type { BodyEnd } from './snapshot-body.ts';
import type { SocketReader } from './socket-reader.ts';

export interface DialogueOptions {
  /** `host:port`, for errors. */
  where: string;
  /** The member that it is read for; undefined for nobody. */
  readsFor?: Address | undefined;
  /** What to do when the server does not let us in, as a sentence. */
  accessHint: string;
}

/** The release that brought the newest RDB version of Valkey that is read here, 80. */
const readsLike = '9.0.0';

const hints: [RegExp, string][] = [
  [/^-LOADING/, 'The server is still loading its data; wait until it is up.'],
  [/^-NOMASTERLINK/, 'This replica has lost its primary; wait until its link is up, or take another member.'],
  [/^-ERR unknown command/, 'The server renames or disables PSYNC or REPLCONF; both are needed.'],
];
const noAccess = /^-(NOPERM|NOAUTH|WRONGPASS|ERR invalid password|ERR .*without any password)/;

export class ReplicationDialogue {
  readonly #reader: SocketReader;
  readonly #options: DialogueOptions;

  constructor(reader: SocketReader, options: DialogueOptions) {
    this.#reader = reader;
    this.#options = options;
  }

  /** Logs in and says what we can read. @throws REPLICATION_REFUSED */
  async introduce(credentials: Credentials | undefined): Promise<void> {
    if (credentials) {
      const { username, password } = credentials;
      const reply = await this.ask('AUTH', ...(username === '' ? [] : [username]), password);
      if (!reply.startsWith('+')) throw this.refused(reply, 'AUTH', credentials);
    }
    const { readsFor } = this.#options;
    if (readsFor) this.#expectOk(await this.ask('REPLCONF', 'ip-address', readsFor.address), 'REPLCONF');
    const port = abovePorts + (readsFor?.port ?? 0);
    this.#expectOk(await this.ask('REPLCONF', 'listening-port', String(port)), 'REPLCONF');
    this.#expectOk(await this.ask('REPLCONF', 'capa', 'eof', 'capa', 'psync2'), 'REPLCONF');
    await this.ask('REPLCONF', 'version', readsLike);
  }

  async ask(...args: string[]): Promise<string> {
    this.#reader.socket.write(writeRequest(args));
    return await this.#answer();
  }

  /** How the RDB that comes now ends. @throws REPLICATION_REFUSED */
  async bodyEnd(): Promise<BodyEnd> {
    const line = await this.#answer();
    const eof = /^\$EOF:(.{40})$/.exec(line);
    if (eof) return { mark: Buffer.from(eof[1] as string, 'latin1') };
    const length = /^\$(\d+)$/.exec(line);
    if (length) return { length: Number(length[1]) };
    throw this.refused(line, 'PSYNC');
  }

  /** @param credentials of a login */
  refused(reply: string, command: string, credentials?: Credentials): Error {
    const { where, accessHint } = this.#options;
    const text = reply.replace(/^[-+]/, '').slice(0, 200);
    const known = hints.find(([pattern]) => pattern.test(reply))?.[1];
    const login = refusedLogin(text, credentials);
    const usual = noAccess.test(reply) ? accessHint : (known ?? 'The log of the server may say more.');
    const hint = login.hint ?? usual;
    return ReplicationRefused(`${where} answered ${command} with: ${text}${login.asWhom}`, { hint });
  }

  /** The next line that says something: line feeds alone only mean that the server is still there. */
  async #answer(): Promise<string> {
    for (;;) {
      const line = await this.#reader.line();
      if (line !== '') return line;
    }
  }

  #expectOk(reply: string, command: string): void {
    if (!reply.startsWith('+')) throw this.refused(reply, command);
  }
}
