import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { waitFor } from '../src/base/retry.ts';
import { BenchServer } from './migrate-servers.ts';

/**
 * How far a mirror is behind while writes come at a given rate, in turns with a plain replica of the same source: the time from
 * sending a write to its being executed at the copy, whose keyspace notification tells it.
 *
 * Usage: npm run bench:mirror [-- --rate 20000 --seconds 10 --rounds 3 --value 100]
 */
const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    value: { type: 'string', default: '100' },
  },
});
const [rate, seconds, rounds] = [values.rate, values.seconds, values.rounds].map(Number) as [
  number,
  number,
  number,
];
const tickMs = 5;
const probeEveryMs = 20;
const probe = Buffer.from('*3\r\n$3\r\nSET\r\n$5\r\nprobe\r\n$1\r\nx\r\n');
const keys = 100_000;

/** As many writes as a second may have, all of one length, so that any number of them is a slice. */
function writesOfASecond(): { bytes: Buffer; each: number } {
  const value = 'v'.repeat(Number(values.value));
  const all = Array.from({ length: rate }, () => {
    const key = `key:${Math.floor(Math.random() * keys)}`.padEnd(12, '_');
    return `*3\r\n$3\r\nSET\r\n$12\r\n${key}\r\n$${value.length}\r\n${value}\r\n`;
  });
  return { bytes: Buffer.from(all.join('')), each: all[0]!.length };
}

interface Lag {
  sent: number;
  lagsMs: number[];
}

async function measure(source: BenchServer, copy: BenchServer): Promise<Lag> {
  const listener = new Redis(copy.port, '127.0.0.1', { enableReadyCheck: false });
  await copy.redis.config('SET', 'notify-keyspace-events', 'K$');
  await listener.subscribe('__keyspace@0__:probe');
  const sentAt: number[] = [];
  const lagsMs: number[] = [];
  listener.on('message', () => lagsMs.push(performance.now() - sentAt[lagsMs.length]!));
  const sent = await write(await opened(source.port), () => sentAt.push(performance.now()));
  await waitFor(() => lagsMs.length === sentAt.length, { what: 'the last write', withinMs: 60_000 });
  listener.disconnect();
  return { sent, lagsMs };
}

/** @returns how many writes went out, besides those that are timed */
async function write(socket: Socket, onProbe: () => void): Promise<number> {
  socket.resume();
  const { bytes, each } = writesOfASecond();
  const began = performance.now();
  let sent = 0;
  let probes = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const ms = performance.now() - began;
      if (ms >= seconds * 1000) {
        clearInterval(timer);
        return resolve();
      }
      const due = Math.floor((ms / 1000) * rate) - sent;
      const at = sent % rate;
      socket.write(bytes.subarray(at * each, Math.min(at + due, rate) * each));
      sent += Math.min(due, rate - at);
      if (ms < probes * probeEveryMs) return;
      probes++;
      onProbe();
      socket.write(probe);
    }, tickMs);
  });
  return sent;
}

async function opened(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

async function besideReplica(): Promise<Lag> {
  const [source, copy] = [await BenchServer.start(), await BenchServer.start()];
  await copy.redis.replicaof('127.0.0.1', source.port);
  const isThere = async () => /master_link_status:up/.test(await copy.redis.info('replication'));
  await waitFor(isThere, { what: 'the replica', withinMs: 60_000 });
  return await measured(source, copy);
}

async function besideMirror(): Promise<Lag> {
  const [source, copy] = [await BenchServer.start(), await BenchServer.start()];
  const script = fileURLToPath(new URL('./mirror-once.js', import.meta.url));
  const args = [script, `${source.port}`, `${copy.port}`];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'] });
  await source.redis.set('begun', '1');
  await waitFor(async () => (await copy.redis.get('begun')) === '1', {
    what: 'the mirror',
    withinMs: 60_000,
  });
  try {
    return await measured(source, copy);
  } finally {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'close');
  }
}

async function measured(source: BenchServer, copy: BenchServer): Promise<Lag> {
  const found = await measure(source, copy);
  // The mirror's own place is a key, too.
  const [there, here] = [await source.redis.dbsize(), (await copy.redis.keys('[^h]*')).length];
  if (there !== here) throw new Error(`the copy has ${here} of ${there} keys`);
  await copy.end();
  await source.end();
  return found;
}

function describe(name: string, all: Lag[]): string {
  const lags = all.flatMap((each) => each.lagsMs).toSorted((a, b) => a - b);
  const at = (share: number) => lags[Math.min(lags.length - 1, Math.floor(lags.length * share))]!.toFixed(1);
  const perSecond = all.reduce((sum, each) => sum + each.sent, 0) / all.length / seconds;
  return `${name.padEnd(16)} ${Math.round(perSecond)} writes/s; behind by ${at(0.5)} ms median, ${at(0.99)} p99, ${at(1)} at most`;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void BenchServer.endAll().finally(() => process.exit(1)));
}
try {
  const found: { replica: Lag[]; mirror: Lag[] } = { replica: [], mirror: [] };
  for (let round = 1; round <= rounds; round++) {
    found.replica.push(await besideReplica());
    found.mirror.push(await besideMirror());
    console.error(`round ${round} of ${rounds}`);
  }
  console.log(`writes of ${values.value} bytes, ${rounds} rounds of ${seconds} s in turns`);
  console.log(describe('a plain replica', found.replica));
  console.log(describe('a mirror', found.mirror));
} finally {
  await BenchServer.endAll();
}
