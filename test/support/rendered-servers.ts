import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { waitFor } from '../../src/base/retry.ts';
import { renderRedisConf } from '../../src/render/redis-conf.ts';
import { renderSentinelConf } from '../../src/render/sentinel-conf.ts';
import { renderUsersAcl } from '../../src/render/users-acl.ts';
import type { Secrets } from '../../src/spec/secrets.ts';
import type { Member, SentinelPlace, Spec } from '../../src/spec/spec.ts';

/** Real servers, started from what is rendered and nothing else. `stop` ends them all, whatever became of the test. */
export class RenderedServers {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'holdfast-rendered-'));
  readonly #children = new Map<string, ChildProcess>();
  readonly #clients: Redis[] = [];
  readonly #spec: Spec;
  readonly #secrets: Secrets;

  constructor(spec: Spec, secrets: Secrets) {
    this.#spec = spec;
    this.#secrets = secrets;
  }

  startMember(member: Member, primary: Member | null): void {
    const folder = this.#folder(member.id);
    const paths = {
      dataDir: folder,
      logFile: path.join(folder, 'log'),
      unixSocket: path.join(folder, 's'),
      aclFile: path.join(folder, 'users.acl'),
    };
    const acl = renderUsersAcl({ spec: this.#spec, secrets: this.#secrets, selectors: true });
    writeFileSync(paths.aclFile, acl, { mode: 0o600 });
    const config = path.join(folder, 'redis.conf');
    writeFileSync(
      config,
      renderRedisConf({ spec: this.#spec, member, paths, secrets: this.#secrets, primary }),
    );
    this.#start(member.id, 'redis-server', config);
  }

  startSentinel(sentinel: SentinelPlace, primary: Member): void {
    const folder = this.#folder(sentinel.id);
    const config = path.join(folder, 'sentinel.conf');
    const paths = { dir: folder, logFile: path.join(folder, 'log') };
    writeFileSync(
      config,
      renderSentinelConf({ spec: this.#spec, sentinel, paths, secrets: this.#secrets, primary }),
    );
    this.#start(sentinel.id, 'redis-sentinel', config);
  }

  /** The configuration as it is now, after the server rewrote it. */
  config(id: string): string {
    return readFileSync(
      path.join(this.folder, id, id.startsWith('redis') ? 'redis.conf' : 'sentinel.conf'),
      'utf8',
    );
  }

  log(id: string): string {
    return readFileSync(path.join(this.folder, id, 'log'), 'utf8');
  }

  /** A client that tries until it is in, and gives up after 10 s. */
  async connect(port: number, login: { username?: string; password?: string } = {}): Promise<Redis> {
    const client = new Redis({
      port,
      host: '127.0.0.1',
      ...login,
      lazyConnect: true,
      enableReadyCheck: false,
      retryStrategy: () => null,
    });
    client.on('error', () => {});
    this.#clients.push(client);
    await waitFor(
      async () => {
        if (client.status === 'wait' || client.status === 'end') await client.connect();
        return true;
      },
      { what: `a server on port ${port}`, withinMs: 60_000 },
    );
    return client;
  }

  isRunning(id: string): boolean {
    const child = this.#children.get(id);
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  async stopOne(id: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#children.get(id);
    if (!child || !this.isRunning(id)) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    await Promise.all([...this.#children.keys()].map((id) => this.stopOne(id, 'SIGKILL')));
    rmSync(this.folder, { recursive: true, force: true });
  }

  #folder(id: string): string {
    const folder = path.join(this.folder, id);
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o700);
    return folder;
  }

  #start(id: string, program: string, config: string): void {
    chmodSync(config, 0o600);
    this.#children.set(id, spawn(program, [config], { stdio: 'ignore' }));
  }
}
