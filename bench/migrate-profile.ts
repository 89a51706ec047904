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

/**
 * Where each microsecond of a copy by scan goes, as a table in Markdown: what the servers' commands took, by their own count
 * (INFO commandstats), what else the servers used, and ours by the profiler of V8, which itself costs some.
 */
export async function profileOfScan(source: BenchServer): Promise<string> {
  const target = await BenchServer.start();
  for (const each of [source, target]) await each.redis.config('RESETSTAT');
  const before = { source: source.cpuSeconds, target: target.cpuSeconds };
  const script = fileURLToPath(new URL('./migrate-copy-once.js', import.meta.url));
  const child = spawn(process.execPath, [script, `${source.port}`, `${target.port}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (piece: Buffer) => {
    text += piece.toString();
  });
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`the copy under the profiler ended with ${status}`);
  const copied = JSON.parse(text) as Copied;
  const rows = [
    ...(await rowsOf('source', source, (source.cpuSeconds - before.source) * 1e6, copied.keys)),
    ...(await rowsOf('target', target, (target.cpuSeconds - before.target) * 1e6, copied.keys)),
    ...copied.parts.map(({ part, share }) => ({
      ...{ who: 'migrate', what: part, micros: (copied.cpuSeconds * 1e6 * share) / copied.keys },
    })),
  ];
  await target.end();
  const sum = (who: string) =>
    rows.filter((row) => row.who === who).reduce((total, { micros }) => total + micros, 0);
  const whos = ['source', 'target', 'migrate'];
  const shown = rows.filter(({ micros }) => micros >= leastShown);
  return [
    '| process | what | µs a key |',
    '| --- | --- | ---: |',
    ...whos.flatMap((who) => [
      ...shown
        .filter((row) => row.who === who)
        .map(({ what, micros }) => `| ${who} | ${what} | ${micros.toFixed(2)} |`),
      `| ${who} | **all** | **${sum(who).toFixed(2)}** |`,
    ]),
    '',
    `${copied.keys} keys in ${copied.seconds.toFixed(2)} s under the profiler: ${Math.round(copied.keys / copied.seconds)} keys/s`,
  ].join('\n');
}

/** Less is no line of its own. */
const leastShown = 0.01;

/** What its commands took, and what it used besides: reading requests, writing replies, the system's part of both. */
async function rowsOf(who: string, server: BenchServer, usedMicros: number, keys: number) {
  const stats = await server.redis.info('commandstats');
  const commands = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+),usec=(\d+)/gm)].map(
    ([, name = '', calls, micros]) => ({
      ...{ who, what: `\`${name.replace('|', ' ').toUpperCase()}\`, ${Number(calls)} calls` },
      micros: Number(micros) / keys,
    }),
  );
  const inCommands = commands.reduce((total, { micros }) => total + micros, 0);
  return [
    ...commands.toSorted((a, b) => b.micros - a.micros),
    { who, what: 'reading requests, writing replies', micros: Math.max(0, usedMicros / keys - inCommands) },
  ];
}
