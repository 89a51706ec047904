import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { waitFor } from '../../src/base/retry.ts';
import type { TlsFiles } from '../../src/spec/spec.ts';
import { client, freePort, kill9, type Server, start, tempFolder } from './redis-processes.ts';

/**
 * Servers and Sentinels as people have them who never heard of holdfast: nobody but the Sentinels themselves changes the
 * primary here.
 */
export interface PlainOptions {
  /** How they find and announce each other: an address or a hostname. */
  host?: string;
  password?: string;
  sentinelPassword?: string;
  tls?: TlsFiles;
  /** Servers at this port and those behind it, then the Sentinels; free ones anywhere, if omitted. */
  firstPort?: number;
}

export class PlainSentinels {
  readonly name = 'mymaster';
  readonly members: Server[] = [];
  readonly sentinels: Server[] = [];
  readonly #options: PlainOptions;
  readonly #host: string;
  #nextPort: number | undefined;

  private constructor(options: PlainOptions) {
    this.#options = options;
    this.#nextPort = options.firstPort;
    this.#host = options.host ?? '127.0.0.1';
  }

  static async start(options: PlainOptions = {}, replicas = 2): Promise<PlainSentinels> {
    const made = new PlainSentinels(options);
    for (let n = 0; n <= replicas; n++) await made.addMember();
    await Promise.all([1, 2, 3].map(() => made.#addSentinel()));
    for (const { port } of made.sentinels) await made.#untilKnown(port, replicas);
    return made;
  }

  /** What `--sentinel` takes. */
  get addresses(): string {
    return this.sentinels.map(({ port }) => `${this.#host}:${port}`).join(',');
  }

  /** One more server, a replica of the first unless it is the first. */
  async addMember(): Promise<Server> {
    const { password } = this.#options;
    const [first] = this.members;
    const port = await this.#port();
    const folder = tempFolder();
    const lines = [
      ...this.#common(port, folder),
      ...(this.#host === '127.0.0.1' ? [] : [`replica-announce-ip ${this.#host}`]),
      'save ""',
      'repl-diskless-sync-delay 0',
      ...(password ? [`requirepass ${password}`, `masterauth ${password}`] : []),
      ...(first ? [`replicaof ${this.#host} ${first.port}`] : []),
    ];
    const server = this.#run('redis-server', 'redis.conf', { port, folder, lines });
    this.members.push(server);
    await this.#answers(this.clientOf(server));
    return server;
  }

  /** A client of a server or Sentinel itself, past the gate. */
  clientOf({ port }: Server, password = this.#options.password) {
    const { tls } = this.#options;
    return client(port, {
      ...(password ? { password } : {}),
      ...(tls ? { tls: { rejectUnauthorized: false } } : {}),
      retryStrategy: () => 50,
      maxRetriesPerRequest: null,
    });
  }

  sentinel(index = 0) {
    return this.clientOf(this.sentinels[index] as Server, this.#options.sentinelPassword ?? '');
  }

  /** The port that the first Sentinel names. */
  async primary(): Promise<number> {
    const answer = await this.sentinel().call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.name);
    return Number((answer as string[])[1]);
  }

  /** Kills the primary; the Sentinels do the rest. Returns the port of the next one. */
  async crash(): Promise<number> {
    const old = await this.primary();
    const server = this.members.find(({ port }) => port === old) as Server;
    await kill9(server.process);
    return this.#untilAnother(old);
  }

  /** A failover that a person asks for, until the old primary follows. */
  async switchOver(): Promise<number> {
    const old = await this.primary();
    const asked = async () =>
      (await this.sentinel()
        .call('SENTINEL', 'FAILOVER', this.name)
        .catch(() => '')) === 'OK';
    await waitFor(asked, { what: 'a Sentinel to accept a failover', withinMs: 60_000, everyMs: 100 });
    return this.#untilAnother(old);
  }

  /** Until every Sentinel names the same primary, and another than this one. */
  async settled(old: number): Promise<void> {
    const agreed = async () => {
      const answers = await Promise.all(
        this.sentinels.map((_, index) =>
          this.sentinel(index).call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.name),
        ),
      );
      const ports = new Set(answers.map((answer) => Number((answer as string[])[1])));
      return ports.size === 1 && !ports.has(old);
    };
    await waitFor(agreed, { what: 'the Sentinels to agree', withinMs: 60_000, everyMs: 50 });
  }

  #untilAnother(old: number): Promise<number> {
    const another = async () => {
      const now = await this.primary();
      return now === old ? undefined : now;
    };
    return waitFor(another, { what: 'another primary', withinMs: 60_000, everyMs: 50 });
  }

  async #addSentinel(): Promise<void> {
    const { password, sentinelPassword } = this.#options;
    const port = await this.#port();
    const folder = tempFolder();
    const named = this.#host === '127.0.0.1' ? [] : ['resolve-hostnames yes', 'announce-hostnames yes'];
    const lines = [
      ...this.#common(port, folder),
      ...named.map((each) => `sentinel ${each}`),
      ...(named.length > 0 ? [`sentinel announce-ip ${this.#host}`] : []),
      `sentinel monitor ${this.name} ${this.#host} ${this.members[0]?.port} 2`,
      `sentinel down-after-milliseconds ${this.name} 1000`,
      `sentinel failover-timeout ${this.name} 10000`,
      ...(password ? [`sentinel auth-pass ${this.name} ${password}`] : []),
      ...(sentinelPassword
        ? [`requirepass ${sentinelPassword}`, `sentinel sentinel-pass ${sentinelPassword}`]
        : []),
    ];
    const server = this.#run('redis-sentinel', 'sentinel.conf', { port, folder, lines });
    this.sentinels.push(server);
    await this.#answers(this.clientOf(server, sentinelPassword ?? ''));
  }

  async #port(): Promise<number> {
    if (this.#nextPort === undefined) return await freePort();
    return this.#nextPort++;
  }

  #common(port: number, folder: string): string[] {
    const { tls } = this.#options;
    const listening = tls
      ? [
          'port 0',
          `tls-port ${port}`,
          `tls-cert-file ${tls.cert}`,
          `tls-key-file ${tls.key}`,
          `tls-ca-cert-file ${tls.ca}`,
          'tls-replication yes',
          'tls-auth-clients optional',
        ]
      : [`port ${port}`];
    return [...listening, 'bind 127.0.0.1', `dir ${folder}`];
  }

  #run(program: string, name: string, at: { port: number; folder: string; lines: string[] }): Server {
    const { port, folder, lines } = at;
    const file = path.join(folder, name);
    writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
    const child = start(program, [file], path.join(folder, 'log'));
    return { process: child, port, folder, args: [file] };
  }

  async #answers(redis: ReturnType<typeof client>): Promise<void> {
    const ping = async () => (await redis.ping().catch(() => '')) === 'PONG';
    await waitFor(ping, { what: 'a server to answer', withinMs: 60_000 });
    redis.disconnect();
  }

  async #untilKnown(port: number, replicas: number): Promise<void> {
    const redis = this.clientOf({ port } as Server, this.#options.sentinelPassword ?? '');
    const known = async () => {
      const fields = (await redis.call('SENTINEL', 'MASTER', this.name)) as string[];
      const field = (key: string) => Number(fields[fields.indexOf(key) + 1]);
      return field('num-other-sentinels') === 2 && field('num-slaves') === replicas;
    };
    await waitFor(() => known().catch(() => false), {
      what: 'a Sentinel to know the others',
      withinMs: 60_000,
      everyMs: 50,
    });
    redis.disconnect();
  }
}
