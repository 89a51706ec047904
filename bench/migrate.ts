import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { waitFor } from '../src/base/retry.ts';
import { type CutOverRound, cutOverOnce } from './migrate-cut-over.ts';
import { BenchServer } from './migrate-servers.ts';
import { setRandomKeys } from './random-keys.ts';

/**
 * How fast data moves in, in turns: a plain replica of the same source, a migration by replication, and one by scan, each into an
 * empty server; then how long writers wait in a cut-over through a gate.
 *
 * Usage: npm run bench:migrate [-- --keys 1000000 --value 100 --rounds 3 --cutovers 11 --clients 20]
 */
const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    value: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    cutovers: { type: 'string', default: '11' },
    clients: { type: 'string', default: '20' },
  },
});
const keys = Number(values.keys);

interface Copy {
  seconds: number;
  megabytes: number;
  wholeSeconds?: number;
}

async function replicaOf(source: BenchServer): Promise<Copy> {
  const target = await BenchServer.start();
  const began = performance.now();
  await target.redis.replicaof('127.0.0.1', source.port);
  const isThere = async () => /master_link_status:up/.test(await target.redis.info('replication'));
  await waitFor(isThere, { what: 'the replica', withinMs: 600_000, everyMs: 5 });
  const seconds = (performance.now() - began) / 1000;
  await target.end();
  return { seconds, megabytes: 0 };
}

async function copyOf(source: BenchServer, how: 'stream' | 'scan'): Promise<Copy> {
  const target = await BenchServer.start();
  const script = fileURLToPath(new URL('./migrate-once.js', import.meta.url));
  const args = [script, how, `${source.port}`, `${target.port}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (piece: Buffer) => {
    text += piece.toString();
  });
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`${how} ended with ${status}`);
  const there = await target.redis.dbsize();
  if (there < keys) throw new Error(`${how} left ${there} of ${keys} keys`);
  await target.end();
  return JSON.parse(text) as Copy;
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void BenchServer.endAll().finally(() => process.exit(1)));
}
try {
  const source = await BenchServer.start();
  await setRandomKeys(source.redis, keys, Number(values.value));
  const found: Record<'replica' | 'stream' | 'scan', Copy[]> = { replica: [], stream: [], scan: [] };
  for (let round = 1; round <= Number(values.rounds); round++) {
    found.replica.push(await replicaOf(source));
    found.stream.push(await copyOf(source, 'stream'));
    found.scan.push(await copyOf(source, 'scan'));
    const last = Object.entries(found).map(([how, all]) => `${how} ${all.at(-1)?.seconds.toFixed(2)} s`);
    console.error(`round ${round}: ${last.join(', ')}`);
  }
  await source.end();
  const seconds = (copies: Copy[]) => median(copies.map((each) => each.seconds));
  const most = (copies: Copy[]) => Math.max(...copies.map((each) => each.megabytes)).toFixed(0);
  const rate = (copies: Copy[]) =>
    `${seconds(copies).toFixed(2)} s, ${Math.round(keys / seconds(copies))} keys/s`;
  const ratio = (seconds(found.replica) / seconds(found.stream)).toFixed(2);
  const whole = median(found.scan.map((each) => each.wholeSeconds ?? Number.NaN));
  console.log(`${keys} keys of ${values.value} bytes, ${values.rounds} rounds in turns, medians`);
  console.log(`a plain replica           ${rate(found.replica)}`);
  console.log(
    `migrate, by replication   ${rate(found.stream)}; ${ratio} of a replica's speed; ${most(found.stream)} MB at most`,
  );
  console.log(
    `migrate, by scan          ${rate(found.scan)}; with the pass that compares ${whole.toFixed(2)} s; ${most(found.scan)} MB at most`,
  );
  const rounds: CutOverRound[] = [];
  for (let round = 1; round <= Number(values.cutovers); round++) {
    rounds.push(await cutOverOnce(Math.min(keys, 100_000), Number(values.clients)));
    console.error(`cut-over ${round}: the longest write took ${rounds.at(-1)?.longestMs.toFixed(1)} ms`);
  }
  if (rounds.length > 0) {
    const [waits, held] = [rounds.map((each) => each.longestMs), rounds.map((each) => each.heldMs)];
    const sum = (of: 'writes' | 'errors' | 'lost') => rounds.reduce((total, each) => total + each[of], 0);
    console.log(
      `cut-over through a gate   the longest write ${median(waits).toFixed(0)} ms median, ${Math.max(...waits).toFixed(0)} worst; ` +
        `held ${median(held).toFixed(0)} ms median; ${sum('writes')} writes, ${sum('errors')} errors, ${sum('lost')} lost`,
    );
  }
} finally {
  await BenchServer.endAll();
}
