import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { BenchServer } from './migrate-servers.ts';

interface Copied {
  seconds: number;
  keys: number;
  cpuSeconds: number;
  parts: { part: string; share: number }[];
}

interface Row {
  what: string;
  /** For each key. */
  micros: number;
}

/**
 * Where each microsecond of a copy by scan goes, as a table in Markdown: what each process used of the processors; of that the
 * servers' commands, by the servers' own clock (INFO commandstats), which on a busy machine counts what others used meanwhile too;
 * and ours by the profiler of V8, which itself costs some.
 */
export async function profileOfScan(source: BenchServer): Promise<string> {
  const target = await BenchServer.start();
  for (const each of [source, target]) await each.redis.config('RESETSTAT');
  const before = [source.cpuSeconds, target.cpuSeconds] as const;
  const copied = await copyOnce(source.port, target.port);
  const perKey = (seconds: number) => (seconds * 1e6) / copied.keys;
  const used = [perKey(source.cpuSeconds - before[0]), perKey(target.cpuSeconds - before[1])] as const;
  const ours = perKey(copied.cpuSeconds);
  const lines = [
    ...linesOf('source', await rowsOf(source, used[0], copied.keys), used[0]),
    ...linesOf('target', await rowsOf(target, used[1], copied.keys), used[1]),
    ...linesOf(
      'migrate',
      copied.parts.map(({ part, share }) => ({ what: part, micros: ours * share })),
      ours,
    ),
  ];
  await target.end();
  const { keys, seconds } = copied;
  return [
    '| process | what | µs a key |',
    '| --- | --- | ---: |',
    ...lines,
    '',
    `${keys} keys in ${seconds.toFixed(2)} s under the profiler: ${Math.round(keys / seconds)} keys/s`,
  ].join('\n');
}

async function copyOnce(source: number, target: number): Promise<Copied> {
  const script = fileURLToPath(new URL('./migrate-copy-once.js', import.meta.url));
  const child = spawn(process.execPath, [script, `${source}`, `${target}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (piece: Buffer) => {
    text += piece.toString();
  });
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`the copy under the profiler ended with ${status}`);
  return JSON.parse(text) as Copied;
}

/** Less is no line of its own. */
const leastShown = 0.01;

function linesOf(who: string, rows: readonly Row[], all: number): string[] {
  const shown = rows.filter(({ micros }) => micros >= leastShown).toSorted((a, b) => b.micros - a.micros);
  return [
    `| ${who} | **all** | **${all.toFixed(2)}** |`,
    ...shown.map(({ what, micros }) => `| | ${what} | ${micros.toFixed(2)} |`),
  ];
}

/** What its commands took, and what it used besides: reading requests, writing replies, the system's part of both. */
async function rowsOf(server: BenchServer, used: number, keys: number): Promise<Row[]> {
  const stats = await server.redis.info('commandstats');
  const commands = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+),usec=(\d+)/gm)].map(
    ([, name = '', calls, micros]) => ({
      what: `\`${name.replace('|', ' ').toUpperCase()}\`, ${calls} calls`,
      micros: Number(micros) / keys,
    }),
  );
  const inCommands = commands.reduce((total, { micros }) => total + micros, 0);
  return [...commands, { what: 'reading requests, writing replies', micros: used - inCommands }];
}
