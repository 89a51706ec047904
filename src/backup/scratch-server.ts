/**
 * A redis-server of our own for a moment: it loads one RDB, is asked what it holds, and is gone without a trace. It
 * listens on a Unix socket in a private folder and on no port, writes nothing by itself, and follows a primary that does
 * not exist: only a primary drops expired keys, so that what was loaded stays exactly what the file has.
 *
 * A shell stands between us and the server. It ends the server and removes the folders also when we are killed, because
 * its stdin ends then. It waits with its own `read`, so that nothing hangs on which programs there are; only to remove the
 * folders in our stead it needs `rm`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, writeFileSync } from 'node:fs';
import { rm, statfs } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { hopeless, pause, waitFor } from '../base/retry.ts';
import { describeSize } from '../base/size.ts';
import { longestSocketPath } from '../base/socket-path.ts';
import { refusedDirective } from '../process/server-log.ts';
import type { Credentials } from '../redis/endpoint.ts';
import { keyCount, keyspaces } from '../redis/info.ts';
import { MemberClient } from '../redis/member-client.ts';
import { directiveKey } from '../render/merge-directives.ts';
import { directive } from '../render/redis-quote.ts';
import { isSecretSetting } from '../spec/rules/passwords.ts';
import { NoRoomForBackup, ScratchLoadFailed, ScratchServerFailed } from './errors.ts';

export interface ScratchOptions {
  /** Full path of redis-server or valkey-server. */
  redisServer: string;
  /** A folder with room for the RDB, twice; its owner's only. */
  workFolder: string;
  databases: number;
  /** Values of loadmodule. */
  loadModules: readonly string[];
  /** Directives that come before its own, for one that is asked what it makes of them. */
  directives?: readonly string[];
  /** Puts files into its folder. @returns more directives. */
  beforeStart?: (folder: string) => Promise<string[]>;
  /** Who asks it, where those directives let nobody in without a name. */
  credentials?: Credentials;
  signal?: AbortSignal | undefined;
}

const nobody = '127.0.0.1 1';
const answersWithinMs = 20_000;
const lookEveryMs = 20;

const guard = `PATH=/usr/bin:/bin\${PATH:+:$PATH}
exec 3<&0
"$1" "$2" </dev/null 3<&- &
server=$!
(while read -r _ <&3; do :; done; kill -9 $server) >/dev/null 2>&1 &
exec 3<&-
wait $server
status=$?
rm -rf "$3" "$4" 2>/dev/null
exit $status`;

/** What a server says when it can't start is near the end of it. */
const lastWordsBytes = 4096;

/** A folder for the RDB that is to be loaded, in which the server then works. */
export class ScratchServer {
  readonly folder: string;
  /** Where the RDB must be put before `start`. */
  readonly file: string;
  readonly #options: ScratchOptions;
  #socketFolder: string | null = null;
  #child: ChildProcess | undefined;
  /** Its output, which is ours to read also when its folder is gone. */
  #log: number | undefined;
  #client: MemberClient | undefined;

  constructor(options: ScratchOptions) {
    this.#options = options;
    this.folder = mkdtempSync(path.join(options.workFolder, 'scratch-'));
    this.file = path.join(this.folder, 'dump.rdb');
  }

  /** @throws BACKUP_NO_ROOM when the folder's disk has less room than this. */
  async checkRoom(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.folder);
    if (bavail * bsize >= bytes) return;
    const found = `${describeSize(bavail * bsize)} free on the disk of ${this.#options.workFolder}`;
    throw NoRoomForBackup(`${found}; ${describeSize(bytes)} are needed`, {
      hint: 'Make room, or name a folder on another disk with --work-dir.',
    });
  }

  get client(): MemberClient {
    if (this.#client === undefined) throw new TypeError('the scratch server was not started');
    return this.#client;
  }

  /** Starts it and waits until everything is loaded. @throws SCRATCH_SERVER_FAILED with the end of its log. */
  async start(): Promise<void> {
    const { redisServer, credentials, beforeStart, signal } = this.#options;
    const config = path.join(this.folder, 'redis.conf');
    const more = (await beforeStart?.(this.folder)) ?? [];
    // Elsewhere it is made at once before the shell starts that removes it, whoever is killed.
    const fits = Buffer.byteLength(path.join(this.folder, 'sock')) <= longestSocketPath;
    const socketFolder = fits ? this.folder : mkdtempSync(path.join(os.tmpdir(), 'holdfast-scratch-'));
    this.#socketFolder = socketFolder;
    const socket = path.join(socketFolder, 'sock');
    writeFileSync(config, [this.#config(socket), ...more].join('\n'), { mode: 0o600 });
    this.#log = openSync(path.join(this.folder, 'log'), 'w+', 0o600);
    const child = spawn('/bin/sh', ['-c', guard, 'sh', redisServer, config, this.folder, socketFolder], {
      stdio: ['pipe', this.#log, this.#log],
      // Ctrl-C is for us: we end it.
      detached: true,
    });
    this.#child = child;
    child.stdin?.on('error', () => {});
    child.once('error', () => {});
    this.#client = new MemberClient({ endpoint: { path: socket }, credentials, timeoutMs: 10_000 });
    let deadline = performance.now() + answersWithinMs;
    for (;;) {
      signal?.throwIfAborted();
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined)
        throw this.#ended(child);
      const info = await this.#client.info('persistence').catch(() => undefined);
      if (info?.['loading'] === '0') return;
      if (info !== undefined) deadline = performance.now() + answersWithinMs;
      else if (performance.now() > deadline)
        throw ScratchServerFailed(`the scratch server does not answer${this.#saidLast()}`);
      await pause(lookEveryMs);
    }
  }

  /** What INFO keyspace says: keys and expiring ones, by database. */
  async keyspace(): Promise<{ db: number; keys: number; expiring: number }[]> {
    return keyspaces(await this.client.info('keyspace'));
  }

  async keys(): Promise<number> {
    return keyCount(await this.client.info('keyspace'));
  }

  /** Has it write what it holds to `file`, in place of what it loaded. */
  async save(): Promise<void> {
    const { client } = this;
    const { rdb_last_save_time: before } = await client.info('persistence');
    await client.connection.call('BGSAVE');
    const saved = async () => {
      this.#options.signal?.throwIfAborted();
      const info = await client.info('persistence');
      if (info['rdb_bgsave_in_progress'] === '1') return false;
      if (info['rdb_last_bgsave_status'] !== 'ok')
        throw hopeless(ScratchServerFailed('the scratch server could not save'));
      return Number(info['rdb_last_save_time']) >= Number(before);
    };
    await waitFor(saved, {
      what: 'the scratch server to save',
      withinMs: 2 * 3_600_000,
      everyMs: lookEveryMs,
    });
  }

  /** Ends it; nothing is left. */
  async stop(): Promise<void> {
    this.#client?.close();
    const child = this.#child;
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.stdin?.end();
      await gone;
    }
    if (this.#log !== undefined) closeSync(this.#log);
    this.#log = undefined;
    await rm(this.folder, { recursive: true, force: true });
    if (this.#socketFolder !== null) await rm(this.#socketFolder, { recursive: true, force: true });
  }

  #lastWords(): string[] {
    if (this.#log === undefined) return [];
    const bytes = Buffer.alloc(lastWordsBytes);
    const from = Math.max(0, fstatSync(this.#log).size - lastWordsBytes);
    const count = readSync(this.#log, bytes, 0, lastWordsBytes, from);
    return bytes.toString('utf8', 0, count).trimEnd().split('\n').filter(Boolean);
  }

  #saidLast(): string {
    const tail = this.#lastWords().slice(-5);
    return tail.length > 0 ? `. The end of its log:\n  ${tail.join('\n  ')}` : '';
  }

  #config(socket: string): string {
    const { databases, loadModules, directives = [] } = this.#options;
    const silent = [
      directive('port', 0),
      directive('unixsocket', socket),
      directive('unixsocketperm', 700),
      directive('dir', this.folder),
    ];
    if (directives.length > 0) return [...directives, ...silent, directive('logfile', '')].join('\n');
    return [
      ...silent,
      directive('dbfilename', 'dump.rdb'),
      directive('databases', databases),
      directive('appendonly', 'no'),
      directive('save', ''),
      directive('daemonize', 'no'),
      `replicaof ${nobody}`,
      ...loadModules.map((module) => `loadmodule ${module}`),
    ].join('\n');
  }

  /** Redis itself ends with 1 when it can't load a file. */
  #ended({ exitCode }: ChildProcess): Error {
    const { redisServer } = this.#options;
    const refused = refusedDirective(this.#lastWords());
    if (refused !== undefined) return ScratchLoadFailed(`${redisServer} does not take ${described(refused)}`);
    const tail = this.#saidLast();
    if (exitCode === 1) return ScratchLoadFailed(`${redisServer} could not load it${tail}`);
    const how =
      exitCode === 137 ? 'was killed, perhaps for want of memory,' : `ended with status ${exitCode}`;
    return ScratchServerFailed(`the scratch server ${how} while it loaded${tail}`, {
      hint: 'This says nothing about the backup. It needs as much memory as the dataset; redis.binary in the spec names another program.',
    });
  }
}

/** @returns `"loglevel shout": argument(s) must be one of…`; of a secret only the name. */
function described({ directive, reason }: { directive: string; reason: string }): string {
  const name = directiveKey(directive);
  return `"${isSecretSetting(name) ? name : directive}": ${reason}`;
}
