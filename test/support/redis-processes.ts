import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { waitFor } from '../../src/base/retry.ts';
import { freePorts } from '../../src/process/free-ports.ts';
import './exit-on-signal.ts';

export interface Server {
  process: ChildProcess;
  port: number;
  folder: string;
  args: string[];
}

const started: ChildProcess[] = [];
const folders: string[] = [];
const clients: Redis[] = [];
process.on('exit', () => {
  for (const child of started) child.kill('SIGKILL');
});

/** A port that nothing listens on now, and that the kernel gives to no connection: between now and its use it stays free. */
export function freePort(): Promise<number> {
  return freePorts(1);
}

export function tempFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-test-'));
  folders.push(folder);
  return folder;
}

/** Starts a program that is killed at the end of the test file at the latest. Its output goes to `log` files. */
export function start(program: string, args: string[], log: string): ChildProcess {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      try {
        appendFileSync(log, chunk);
      } catch {
        // The folder is gone: the test is over.
      }
    });
  }
  started.push(child);
  return child;
}

/** A client that is disconnected at the end; errors of its connection only fail its commands. */
export function client(port: number, options: RedisOptions = {}): Redis {
  const redis = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 0, ...options });
  redis.on('error', () => {});
  clients.push(redis);
  return redis;
}

export async function startRedis(options: string[] = [], given: Partial<Server> = {}): Promise<Server> {
  const port = given.port ?? (await freePort());
  const folder = given.folder ?? tempFolder();
  const base = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const args = given.args ?? [
    ...base,
    '--repl-diskless-sync-delay',
    '0',
    '--enable-debug-command',
    'yes',
    ...options,
  ];
  const child = start('redis-server', args, path.join(folder, 'redis.log'));
  await answersPing(port, given.args ?? options);
  return { process: child, port, folder, args };
}

async function answersPing(port: number, options: string[]): Promise<void> {
  const redis = client(port, { lazyConnect: true, retryStrategy: () => 20, maxRetriesPerRequest: null });
  try {
    await redis.connect().catch(() => {});
    const ping = async () => /PONG|NOAUTH/.test(await redis.ping().catch((error: Error) => error.message));
    await waitFor(ping, { what: `redis-server ${options.join(' ')} on ${port}`, withinMs: 60_000 });
  } finally {
    redis.disconnect();
  }
}

export async function startSentinel(
  name: string,
  primary: number,
  quorum: number,
  extra: string[] = [],
): Promise<Server> {
  const port = await freePort();
  const folder = tempFolder();
  const file = path.join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${name} 127.0.0.1 ${primary} ${quorum}`,
    `sentinel down-after-milliseconds ${name} 3000`,
    `sentinel failover-timeout ${name} 10000`,
    ...extra,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  const child = start('redis-sentinel', [file], path.join(folder, 'sentinel.log'));
  await answersPing(port, ['sentinel']);
  return { process: child, port, folder, args: [file] };
}

/** Kills with SIGKILL and waits until the process is gone. */
export async function kill9(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** For afterAll: ends every process, connection and folder of this test file. */
export async function cleanUp(): Promise<void> {
  for (const redis of clients.splice(0)) redis.disconnect();
  await Promise.all(started.splice(0).map((child) => kill9(child)));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}
