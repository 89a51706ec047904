import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { AgentClient } from '../agent/client.ts';
import { readEvents } from '../agent/event-log.ts';
import { type StatePaths, statePaths } from '../agent/paths.ts';
import type { SwitchoverResult } from '../agent/switchover.ts';
import { waitFor } from '../base/retry.ts';
import { freePorts } from '../process/free-ports.ts';
import type { Contender } from './contender.ts';

const wholeWithinMs = 30_000;

/** holdfast with its defaults, run by its own command in the background. */
export class HoldfastContender implements Contender {
  readonly name = 'holdfast';
  #folder = '';
  #port = 0;
  #paths: StatePaths = statePaths('/nonexistent');
  #agent = new AgentClient('/nonexistent');

  async start(): Promise<void> {
    this.#folder = await mkdtemp(path.join(tmpdir(), 'hf-bench-'));
    const first = await freePorts(10);
    this.#port = first + 6;
    const spec = {
      name: 'bench',
      redis: { members: 3, port: first },
      sentinel: { port: first + 3 },
      gate: { port: this.#port, replicaPort: first + 7 },
      agent: { port: first + 8 },
    };
    // JSON is YAML.
    await writeFile(this.#specFile, JSON.stringify(spec));
    this.#paths = statePaths(path.join(this.#folder, 's'));
    this.#agent = new AgentClient(this.#paths.agentSocket);
    await this.#holdfast('up', '--detach');
    await this.waitUntilWhole();
  }

  connect(count: number): Redis[] {
    const options = { host: '127.0.0.1', port: this.#port, maxRetriesPerRequest: 0 };
    return Array.from({ length: count }, () => new Redis(options));
  }

  async switchover(): Promise<SwitchoverResult> {
    return (await this.#agent.run('switchover', {}, () => {})) as SwitchoverResult;
  }

  async killPrimary(): Promise<void> {
    const { members } = await this.#agent.status();
    process.kill(members.find(({ role }) => role === 'primary')?.pid as number, 'SIGKILL');
  }

  async waitUntilWhole(): Promise<void> {
    const isWhole = async () => (await this.#agent.status()).state === 'healthy';
    await waitFor(isWhole, { what: 'a healthy deployment', withinMs: wholeWithinMs, everyMs: 50 });
  }

  async promotions(): Promise<number> {
    return readEvents(this.#paths.events).filter(({ kind }) => kind === 'primary').length;
  }

  async stop(): Promise<void> {
    await this.#holdfast('down').catch(() => {});
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #specFile(): string {
    return path.join(this.#folder, 'holdfast.yaml');
  }

  async #holdfast(verb: string, ...options: string[]): Promise<void> {
    const args = [
      process.argv[1] as string,
      verb,
      this.#specFile,
      '--state-dir',
      this.#paths.root,
      ...options,
    ];
    await promisify(execFile)(process.execPath, args);
  }
}
