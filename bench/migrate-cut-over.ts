import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { waitFor } from '../src/base/retry.ts';
import { freePorts } from '../src/process/free-ports.ts';
import { BenchServer } from './migrate-servers.ts';

const command = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

export interface CutOverRound {
  /** The longest that one write took, ms. */
  longestMs: number;
  /** What the command says. */
  heldMs: number;
  writes: number;
  errors: number;
  /** Acknowledged, and not at the new side. */
  lost: number;
}

/** One cut-over through a gate before the old server, with so many clients that write one after the other. */
export async function cutOverOnce(keys: number, clients: number): Promise<CutOverRound> {
  const [from, to] = [await BenchServer.start(), await BenchServer.start()];
  const folder = mkdtempSync(path.join(os.tmpdir(), 'hf-bench-cutover-'));
  const [socket, state, port] = [path.join(folder, 'g.sock'), path.join(folder, 's'), await freePorts(1)];
  const running: ChildProcess[] = [];
  const begin = (...args: string[]) => {
    const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    running.push(child);
    return child;
  };
  const writers: Redis[] = [];
  try {
    await from.redis.call('DEBUG', 'POPULATE', keys, 'key', 100);
    begin(
      ...['gate', '--listen', `127.0.0.1:${port}`, '--upstream', `127.0.0.1:${to.port}`],
      ...['--predecessor', `127.0.0.1:${from.port}`, '--control', socket],
    );
    const through = () =>
      new Redis(port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: null });
    for (let n = 0; n < clients; n++) writers.push(through().on('error', () => {}));
    await Promise.all(writers.map((each) => each.ping()));
    const found: CutOverRound = { longestMs: 0, heldMs: 0, writes: 0, errors: 0, lost: 0 };
    const acknowledged = writers.map(() => 0);
    let stopped = false;
    const loops = writers.map(async (redis, index) => {
      while (!stopped) {
        const sentMs = performance.now();
        await redis.incr(`count:${index}`).then(
          () => {
            acknowledged[index]!++;
            found.writes++;
          },
          () => found.errors++,
        );
        found.longestMs = Math.max(found.longestMs, performance.now() - sentMs);
      }
    });
    const sides = [`redis://127.0.0.1:${from.port}`, '--to', `redis://127.0.0.1:${to.port}`];
    begin('migrate', ...sides, '--state-dir', state);
    await waitFor(async () => await follows(begin, state), {
      what: 'it to follow',
      withinMs: 120_000,
      everyMs: 200,
    });
    // What comes from here on is the cut-over's.
    found.longestMs = 0;
    const { text } = await result(
      begin('migrate', 'cutover', '--gate', socket, '--state-dir', state, '--json'),
    );
    found.heldMs = (JSON.parse(text) as { heldMs: number }).heldMs;
    await new Promise((resolve) => setTimeout(resolve, 200));
    stopped = true;
    await Promise.all(loops);
    for (const [index, count] of acknowledged.entries())
      found.lost += Math.max(0, count - Number(await to.redis.get(`count:${index}`)));
    return found;
  } finally {
    for (const each of writers) each.disconnect();
    for (const child of running) child.kill('SIGKILL');
    await from.end();
    await to.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function follows(begin: (...args: string[]) => ChildProcess, state: string): Promise<boolean> {
  const { status, text } = await result(begin('migrate', 'status', '--state-dir', state, '--json'));
  if (status !== 0) return false;
  const { sources } = JSON.parse(text) as { sources?: { phase: string; lagBytes: number | null }[] };
  return sources?.every(({ phase, lagBytes }) => phase === 'following' && (lagBytes ?? 1e9) < 1e6) === true;
}

async function result(child: ChildProcess): Promise<{ status: number | null; text: string }> {
  let text = '';
  child.stdout?.on('data', (piece: Buffer) => {
    text += piece.toString();
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, text };
}
