import { Session } from 'node:inspector/promises';
import { built } from './built.ts';

/**
 * The copy of a migration by scan alone, under the profiler of V8: `node migrate-copy-once.js SOURCE TARGET`, ports on this
 * machine. Prints one line of JSON: seconds, keys, its processor time, and how much of it each part of the code took itself.
 */
const [source, target] = process.argv.slice(2);
const place = (port: string | undefined) => ({ endpoint: { host: '127.0.0.1', port: Number(port) } });

/** Of a file, by what it does in a copy. */
const parts: [RegExp, string][] = [
  [/\/dist\/resp\//, 'reading replies'],
  [/\/dist\/redis\//, 'waiting for replies'],
  [/\/dist\/(stream|migrate\/(wire|key-writer))/, 'writing requests'],
  [/\/dist\//, 'keys and values'],
  [/^node:(internal\/)?buffer/, 'memory for keys and values, by Node.js'],
  [/^node:/, 'sockets, by Node.js'],
];

const { KeyReader } = (await built('migrate/key-reader.js')) as typeof import('../src/migrate/key-reader.ts');
const { KeyWriter } = (await built('migrate/key-writer.js')) as typeof import('../src/migrate/key-writer.ts');
const { copyPass } = (await built(
  'migrate/scan/copy-pass.js',
)) as typeof import('../src/migrate/scan/copy-pass.ts');
const { everyKey } = (await built(
  'migrate/key-mapping.js',
)) as typeof import('../src/migrate/key-mapping.ts');
const { LeftOut } = (await built(
  'migrate/scan/left-out.js',
)) as typeof import('../src/migrate/scan/left-out.ts');

const [reader, there] = [new KeyReader(place(source)), new KeyReader(place(target))];
const writer = new KeyWriter(place(target), { source: await reader.facts(), target: await there.facts() });
await writer.begin();
const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.setSamplingInterval', { interval: 200 });
await session.post('Profiler.start');
const [began, usedBefore] = [performance.now(), process.cpuUsage()];
const { keys } = await copyPass(reader, writer, [0], {
  ...{
    leftOut: new LeftOut(),
    mapping: everyKey,
    signal: new AbortController().signal,
    onProgress: () => {},
  },
});
const seconds = (performance.now() - began) / 1000;
const used = process.cpuUsage(usedBefore);
const { profile } = await session.post('Profiler.stop');

const shares = new Map<string, number>();
let samples = 0;
for (const { callFrame, hitCount = 0 } of profile.nodes) {
  const part = partOf(callFrame);
  if (part === null) continue;
  samples += hitCount;
  shares.set(part, (shares.get(part) ?? 0) + hitCount);
}
const cpuSeconds = (used.user + used.system) / 1e6;
console.log(
  JSON.stringify({
    ...{ seconds, keys, cpuSeconds },
    parts: [...shares]
      .map(([part, hits]) => ({ part, share: hits / samples }))
      .toSorted((a, b) => b.share - a.share),
  }),
);
process.exit(0);

/** Null for what is no work. */
function partOf({ functionName, url }: { functionName: string; url: string }): string | null {
  if (functionName === '(idle)' || functionName === '(root)') return null;
  if (functionName === '(garbage collector)') return 'collecting garbage';
  if (url === '') return 'the system, and what V8 has built in';
  return parts.find(([pattern]) => pattern.test(url))?.[1] ?? 'the rest';
}
