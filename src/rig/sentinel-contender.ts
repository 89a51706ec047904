import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { findRedisServer } from '../agent/preflight.ts';
import { waitFor } from '../base/retry.ts';
import { freePorts } from '../process/free-ports.ts';
import { SupervisedProcess } from '../process/supervised-process.ts';
import { MemberClient } from '../redis/member-client.ts';
import { SentinelClient } from '../redis/sentinel-client.ts';
import type { Contender } from './contender.ts';

const name = 'plain';
const wholeWithinMs = 60_000;

/**
 * Three redis-servers and three Sentinels as their documentation sets them up, and clients that ask the Sentinels
 * themselves. Someone restarts the killed server at once, as a supervisor would.
 */
export class SentinelContender implements Contender {
  readonly name: string;
  readonly #downAfterMs: number;
  readonly #members: { port: number; process: SupervisedProcess; client: MemberClient }[] = [];
  readonly #sentinels: { port: number; process: SupervisedProcess; client: SentinelClient }[] = [];
  #folder = '';
  #program = '';
  #promotions = 0;
  #lastPrimary = 0;

  constructor(downAfterMs: number) {
    this.#downAfterMs = downAfterMs;
    this.name = `Sentinel alone, down-after ${downAfterMs} ms`;
  }

  async start(): Promise<void> {
    this.#program = (await findRedisServer()).program;
    this.#folder = await mkdtemp(path.join(tmpdir(), 'hf-plain-'));
    const first = await freePorts(6);
    for (let i = 0; i < 3; i++) await this.#startMember(first + i, i === 0 ? null : first);
    for (let i = 3; i < 6; i++) await this.#startSentinel(first + i, first);
    this.#lastPrimary = first;
    await this.waitUntilWhole();
  }

  connect(count: number): Redis[] {
    const sentinels = this.#sentinels.map(({ port }) => ({ host: '127.0.0.1', port }));
    const options = {
      sentinels,
      name,
      maxRetriesPerRequest: 0,
      sentinelRetryStrategy: () => 20,
      retryStrategy: () => 20,
    };
    return Array.from({ length: count }, () => new Redis(options));
  }

  async killPrimary(): Promise<void> {
    const named = await this.#primaryPort();
    const member = this.#members.find(({ port }) => port === named);
    member?.process.signal('SIGKILL');
  }

  async waitUntilWhole(): Promise<void> {
    const before = this.#lastPrimary;
    for (const { port, process } of this.#members) if (!process.running) await this.#run(port);
    const isWhole = async () => {
      const named = await Promise.all(this.#sentinels.map(async ({ client }) => client.primary()));
      const [primary] = named;
      const agree = named.every(({ port, flags }) => port === primary?.port && flags.join() === 'master');
      if (!agree) return false;
      const roles = await Promise.all(this.#members.map(({ client }) => client.role()));
      this.#lastPrimary = primary?.port ?? 0;
      return (
        roles.filter(({ role }) => role === 'primary').length === 1 &&
        roles.filter((role) => role.role === 'replica' && role.link === 'connected').length === 2
      );
    };
    await waitFor(isWhole, {
      what: 'the Sentinels to have everyone in place',
      withinMs: wholeWithinMs,
      everyMs: 100,
    });
    if (before !== this.#lastPrimary) this.#promotions += 1;
  }

  async promotions(): Promise<number> {
    return this.#promotions;
  }

  async stop(): Promise<void> {
    const all = [...this.#sentinels, ...this.#members];
    for (const { client } of all) client.close();
    for (const { process } of all) process.signal('SIGKILL');
    await Promise.all(all.map(({ process }) => process.waitForExit(5000)));
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #startMember(port: number, follows: number | null): Promise<void> {
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      'appendonly yes',
      `dir ${path.join(this.#folder, `${port}`)}`,
    ];
    if (follows !== null) lines.push(`replicaof 127.0.0.1 ${follows}`);
    await this.#write(port, lines);
    const process = new SupervisedProcess(
      `redis ${port}`,
      path.join(this.#folder, `${port}`, 'process.json'),
    );
    const client = new MemberClient({ endpoint: { host: '127.0.0.1', port } });
    this.#members.push({ port, process, client });
    await this.#run(port);
  }

  async #startSentinel(port: number, primary: number): Promise<void> {
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${path.join(this.#folder, `${port}`)}`,
      `sentinel monitor ${name} 127.0.0.1 ${primary} 2`,
      `sentinel down-after-milliseconds ${name} ${this.#downAfterMs}`,
      `sentinel failover-timeout ${name} 10000`,
    ];
    await this.#write(port, lines);
    const process = new SupervisedProcess(
      `sentinel ${port}`,
      path.join(this.#folder, `${port}`, 'process.json'),
    );
    const client = new SentinelClient({ endpoint: { host: '127.0.0.1', port } }, name);
    this.#sentinels.push({ port, process, client });
    await process.start({ ...this.#command(port), args: [this.#configOf(port), '--sentinel'] });
  }

  async #run(port: number): Promise<void> {
    await this.#members.find((member) => member.port === port)?.process.start(this.#command(port));
  }

  #command(port: number) {
    const cwd = path.join(this.#folder, `${port}`);
    return { program: this.#program, args: [this.#configOf(port)], cwd, logFile: path.join(cwd, 'log') };
  }

  #configOf(port: number): string {
    return path.join(this.#folder, `${port}`, 'redis.conf');
  }

  async #write(port: number, lines: string[]): Promise<void> {
    await mkdir(path.join(this.#folder, `${port}`), { recursive: true });
    await writeFile(this.#configOf(port), `${lines.join('\n')}\n`);
  }

  async #primaryPort(): Promise<number> {
    const [sentinel] = this.#sentinels;
    return (await sentinel?.client.primary())?.port ?? 0;
  }
}
