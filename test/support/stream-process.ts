/** One stream in a process of its own, so that it can be killed: `tsx`-less, Node runs what is built. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const script = `
import { Stream } from './dist/stream/stream.js';
import { unchanged } from './dist/stream/rewrite.js';
import { targetOfServer } from './dist/rdb/target.js';
const [id, source, target, heldBytes] = process.argv.slice(1);
const stream = new Stream({
  id,
  source: { kind: 'server', address: '127.0.0.1', port: Number(source) },
  target: { endpoint: { host: '127.0.0.1', port: Number(target) } },
  loads: targetOfServer('redis-7.0'),
  rewriter: unchanged,
  onConflict: 'fail',
  copied: undefined,
  maxRate: 0,
  heldBytes: heldBytes === undefined ? undefined : Number(heldBytes),
});
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
setInterval(() => process.stdout.write(JSON.stringify(stream.status) + '\\n'), 20).unref();
await stream.run(stop.signal);
`;

export interface StreamProcess {
  child: ChildProcess;
  /** What it said of itself last. */
  status(): { phase: string; problem: string | null; applied: { offset: number } | null } | undefined;
  errors(): string;
  end(signal: NodeJS.Signals): Promise<void>;
}

/** @param heldBytes of a value that may be held in a copy; longer ones go in pieces. */
export function startStream(id: string, source: number, target: number, heldBytes?: number): StreamProcess {
  const held = heldBytes === undefined ? [] : [`${heldBytes}`];
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
