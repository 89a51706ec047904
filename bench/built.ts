import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** A module as it runs in life: the built one, not what a benchmark's own build has of it. */
export const built = async (file: string): Promise<unknown> =>
  await import(pathToFileURL(path.join(root, 'dist', file)).href);

/** A stream between two ports of this machine, as migrations and mirrors have it. */
export async function streamBetween(source: number, target: number) {
  const { Stream } = (await built('stream/stream.js')) as typeof import('../src/stream/stream.ts');
  const { unchanged } = (await built('stream/rewrite.js')) as typeof import('../src/stream/rewrite.ts');
  const { targetOfServer } = (await built('rdb/target.js')) as typeof import('../src/rdb/target.ts');
  return new Stream({
    ...{ id: 'bench', loads: targetOfServer('redis-7.0'), rewriter: unchanged },
    target: { endpoint: { host: '127.0.0.1', port: target } },
    source: { kind: 'server', address: '127.0.0.1', port: source },
    ...{ onConflict: 'fail', copied: undefined, maxRate: 0 },
  });
}
