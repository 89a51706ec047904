/** One stream in a process of its own, so that it can be killed: `tsx`-less, Node runs what is built. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const script = `
import { Stream } from './dist/stream/stream.js';
import { unchanged } from './dist/stream/rewrite.js';
import { targetOfServer } from './dist/rdb/target.js';
import { QueuedSource } from './dist/stream/queue/queued-source.js';
import { StreamQueue } from './dist/stream/queue/stream-queue.js';
const [id, source, target, heldBytes, folder] = process.argv.slice(1);
const stop = new AbortController();
const address = { kind: 'server', address: '127.0.0.1', port: Number(source) };
const queue = folder === undefined ? undefined : await StreamQueue.open({ folder, mostBytes: 2 ** 30 });
const queued = queue === undefined ? undefined : new QueuedSource(address, queue);
const filling = queued?.fill(stop.signal);
const stream = new Stream({
  id,
  source: queued ?? address,
  target: { endpoint: { host: '127.0.0.1', port: Number(target) } },
  loads: targetOfServer('redis-7.0'),
  rewriter: unchanged,
  onConflict: 'fail',
  copied: undefined,
  maxRate: 0,
  heldBytes: Number(heldBytes) || undefined,
});
process.on('SIGTERM', () => stop.abort());
setInterval(() => process.stdout.write(JSON.stringify({ ...stream.status, queue: queue?.status() }) + '\\n'), 20).unref();
await stream.run(stop.signal);
await filling;
`;

export interface StreamProcess {
  child: ChildProcess;
  /** What it said of itself last. */
  status():
    | {
        phase: string;
        problem: string | null;
        applied: { offset: number } | null;
        copies: number;
        queue?: { bytes: number };
      }
    | undefined;
  errors(): string;
  end(signal: NodeJS.Signals): Promise<void>;
}

/**
 * @param heldBytes of a value that may be held in a copy; longer ones go in pieces; 0 for as many as usual.
 * @param queueFolder where what waits for the target is kept; nowhere, if omitted.
 */
export function startStream(
  id: string,
  source: number,
  target: number,
  heldBytes = 0,
  queueFolder?: string,
): StreamProcess {
  const held = [`${heldBytes}`, ...(queueFolder === undefined ? [] : [queueFolder])];
  const args = ['--input-type=module', '-e', script, id, `${source}`, `${target}`, ...held];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let last = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    last = chunk.toString().trimEnd().split('\n').at(-1) ?? last;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  return {
    child,
    status: () => (last === '' ? undefined : JSON.parse(last)),
    errors: () => errors,
    end: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    },
  };
}
