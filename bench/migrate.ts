import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { waitFor } from '../src/base/retry.ts';
import { describeMachine, machineSentence } from '../src/bench/machine.ts';
import { type CutOverRound, cutOverOnce } from './migrate-cut-over.ts';
import { profileOfScan } from './migrate-profile.ts';
import { BenchServer } from './migrate-servers.ts';
import { setRandomKeys } from './random-keys.ts';

/**
 * How fast data moves in, in turns: a plain replica of the same source, a migration by replication, and one by scan, each into an
 * empty server; then how long writers wait in a cut-over through a gate.
 *
 * Usage: npm run bench:migrate [-- --keys 1000000 --value 100 --rounds 3 --cutovers 11 --clients 20 --profile]
 * `--compressible` has values that an RDB keeps compressed; `--profile` says where each microsecond of a copy by scan goes.
 */
const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    value: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    cutovers: { type: 'string', default: '11' },
    clients: { type: 'string', default: '20' },
    profile: { type: 'boolean', default: false },
    compressible: { type: 'boolean', default: false },
  },
});
const keys = Number(values.keys);

/** What one copy took. */
interface Copy {
  seconds: number;
  /** The most memory that our process had; 0 where none of ours was at work. */
  megabytes: number;
  /** Processor time of our process, of the source and of the target. */
  cpuSeconds: { ours: number; source: number; target: number };
  /** With the pass that compares. */
  wholeSeconds?: number;
}

async function measured(
  source: BenchServer,
  copy: (target: BenchServer) => Promise<Omit<Copy, 'cpuSeconds'> & { cpuSeconds?: number }>,
): Promise<Copy> {
  const target = await BenchServer.start();
  const before = { source: source.cpuSeconds, target: target.cpuSeconds };
  const { cpuSeconds: ours = 0, ...found } = await copy(target);
  const there = await target.redis.dbsize();
  if (there < keys) throw new Error(`${there} of ${keys} keys are there`);
  const used = { source: source.cpuSeconds - before.source, target: target.cpuSeconds - before.target };
  await target.end();
  return { ...found, cpuSeconds: { ours, ...used } };
}

async function replicaOf(source: BenchServer): Promise<Copy> {
  return await measured(source, async (target) => {
    const began = performance.now();
    await target.redis.replicaof('127.0.0.1', source.port);
    const isThere = async () => /master_link_status:up/.test(await target.redis.info('replication'));
    await waitFor(isThere, { what: 'the replica', withinMs: 600_000, everyMs: 5 });
    return { seconds: (performance.now() - began) / 1000, megabytes: 0 };
  });
}

async function copyOf(source: BenchServer, how: 'stream' | 'scan'): Promise<Copy> {
  return await measured(source, async (target) => {
    const script = fileURLToPath(new URL('./migrate-once.js', import.meta.url));
    const args = [script, how, `${source.port}`, `${target.port}`];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (piece: Buffer) => {
      text += piece.toString();
    });
    const [status] = (await once(child, 'close')) as [number | null];
    if (status !== 0) throw new Error(`${how} ended with ${status}`);
    return JSON.parse(text);
  });
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function describe(copies: Copy[]): string {
  const of = (pick: (copy: Copy) => number) => median(copies.map(pick));
  const seconds = of((copy) => copy.seconds);
  const cpu = (['source', 'target', 'ours'] as const)
    .filter((who) => who !== 'ours' || of((copy) => copy.cpuSeconds.ours) > 0)
    .map((who) => `${of((copy) => copy.cpuSeconds[who]).toFixed(2)} s ${who}`);
  const most = Math.max(...copies.map((each) => each.megabytes));
  const memory = most > 0 ? `; ${most.toFixed(0)} MB at most` : '';
  return `${seconds.toFixed(2)} s, ${Math.round(keys / seconds)} keys/s; processor ${cpu.join(', ')}${memory}`;
}

function tellRounds(found: Record<'replica' | 'stream' | 'scan', Copy[]>): void {
  // What else the machine does is the same within a round, and not from one to the next.
  const ratio = median(found.replica.map(({ seconds }, round) => seconds / found.stream[round]!.seconds));
  const whole = median(found.scan.map((each) => each.wholeSeconds ?? Number.NaN));
  console.log(`${keys} keys of ${values.value} bytes, ${values.rounds} rounds in turns, medians`);
  console.log(`a plain replica           ${describe(found.replica)}`);
  console.log(
    `migrate, by replication   ${describe(found.stream)}; ${ratio.toFixed(2)} of a replica's speed`,
  );
  console.log(
    `migrate, by scan          ${describe(found.scan)}; with the pass that compares, whose processor time is among it, ${whole.toFixed(2)} s`,
  );
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void BenchServer.endAll().finally(() => process.exit(1)));
}
try {
  console.log(machineSentence(await describeMachine()));
  const source = await BenchServer.start();
  if (values.compressible) await source.redis.call('DEBUG', 'POPULATE', keys, 'key', Number(values.value));
  else await setRandomKeys(source.redis, keys, Number(values.value));
  const found: Record<'replica' | 'stream' | 'scan', Copy[]> = { replica: [], stream: [], scan: [] };
  for (let round = 1; round <= Number(values.rounds); round++) {
    found.replica.push(await replicaOf(source));
    found.stream.push(await copyOf(source, 'stream'));
    found.scan.push(await copyOf(source, 'scan'));
    const last = Object.entries(found).map(([how, all]) => `${how} ${all.at(-1)?.seconds.toFixed(2)} s`);
    console.error(`round ${round}: ${last.join(', ')}`);
  }
  const profile = values.profile ? await profileOfScan(source) : '';
  await source.end();
  if (found.replica.length > 0) tellRounds(found);
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
  if (profile !== '') console.log(`\n${profile}`);
} finally {
  await BenchServer.endAll();
}
