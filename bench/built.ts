import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { QueuedSource } from '../src/stream/queue/queued-source.ts';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** A module as it runs in life: the built one, not what a benchmark's own build has of it. */
export const built = async (file: string): Promise<unknown> =>
  await import(pathToFileURL(path.join(root, 'dist', file)).href);

/** Runs a mirror's stream between two ports of this machine, through a queue in a folder, until the signal is aborted. */
export async function runMirror(
  source: number,
  target: number,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const { StreamQueue } = (await built(
    'stream/queue/stream-queue.js',
  )) as typeof import('../src/stream/queue/stream-queue.ts');
  const { QueuedSource } = (await built(
    'stream/queue/queued-source.js',
  )) as typeof import('../src/stream/queue/queued-source.ts');
  const queue = await StreamQueue.open({ folder, mostBytes: 2 ** 30 });
  const queued = new QueuedSource({ kind: 'server', address: '127.0.0.1', port: source }, queue);
  const filling = queued.fill(signal);
  const stream = await streamBetween(source, target, queued);
  await stream.run(signal);
  await filling;
}

/** A stream between two ports of this machine, as migrations have it. @param queued what it is read through; omitted for nothing */
export async function streamBetween(source: number, target: number, queued?: QueuedSource) {
  const { Stream } = (await built('stream/stream.js')) as typeof import('../src/stream/stream.ts');
  const { unchanged } = (await built('stream/rewrite.js')) as typeof import('../src/stream/rewrite.ts');
  const { targetOfServer } = (await built('rdb/target.js')) as typeof import('../src/rdb/target.ts');
  return new Stream({
    ...{ id: 'bench', loads: targetOfServer('redis-7.0'), rewriter: unchanged },
    target: { endpoint: { host: '127.0.0.1', port: target } },
    source: queued ?? { kind: 'server', address: '127.0.0.1', port: source },
    ...{ onConflict: 'fail', copied: undefined, maxRate: 0 },
  });
}
