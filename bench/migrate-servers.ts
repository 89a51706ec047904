import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { waitFor } from '../src/base/retry.ts';
import { freePorts } from '../src/process/free-ports.ts';

/** What /proc counts in, on every Linux that Node.js runs on. */
const ticksPerSecond = 100;

/** A redis-server of a benchmark: without files, and gone with it. */
export class BenchServer {
  static readonly #all = new Set<BenchServer>();
  readonly port: number;
  readonly redis: Redis;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#process = child;
    this.redis = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null, retryStrategy: () => 20 });
    this.redis.on('error', () => {});
    BenchServer.#all.add(this);
  }

  static async start(): Promise<BenchServer> {
    const port = await freePorts(1);
    const folder = mkdtempSync(path.join(os.tmpdir(), 'hf-bench-migrate-'));
    const args = ['--port', `${port}`, '--dir', folder, '--save', '', '--enable-debug-command', 'local'];
    const diskless = ['--repl-diskless-sync', 'yes', '--repl-diskless-sync-delay', '0'];
    const child = spawn('redis-server', [...args, ...diskless], { stdio: 'ignore' });
    const made = new BenchServer(port, folder, child);
    await waitFor(async () => (await made.redis.ping()) === 'PONG', {
      what: 'redis-server',
      withinMs: 10_000,
    });
    return made;
  }

  /** Seconds of processor time that it has used, and children of it that have ended. */
  get cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#process.pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;
  }

  static async endAll(): Promise<void> {
    for (const each of [...BenchServer.#all]) await each.end();
  }

  async end(): Promise<void> {
    BenchServer.#all.delete(this);
    this.redis.disconnect();
    if (this.#process.exitCode === null) {
      const gone = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
