import { built, streamBetween } from './built.ts';

/**
 * One copy, as a process of its own, so that its memory is its own: `node migrate-once.js stream|scan SOURCE TARGET`, ports on
 * this machine. Prints one line of JSON: seconds until everything was there, keys, the most memory it had, and its processor time.
 */
const [how, source, target] = process.argv.slice(2);
const began = performance.now();
const seconds = () => (performance.now() - began) / 1000;
const place = (port: string | undefined) => ({ endpoint: { host: '127.0.0.1', port: Number(port) } });

const keys = how === 'stream' ? await stream() : await scan();
const { maxRSS } = process.resourceUsage();
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ ...keys, megabytes: maxRSS / 1000, cpuSeconds: (user + system) / 1e6 }));
process.exit(0);

async function stream(): Promise<{ seconds: number; keys: number }> {
  const made = await streamBetween(Number(source), Number(target));
  const stop = new AbortController();
  const running = made.run(stop.signal);
  // A stream that fails ends the process by its error, with what was not awaited.
  while (made.status.phase !== 'following') {
    await Promise.race([running, new Promise((resolve) => setTimeout(resolve, 5))]);
  }
  const found = { seconds: seconds(), keys: made.status.keys };
  stop.abort();
  await running;
  return found;
}

/** The copy alone, and with the pass that compares. */
async function scan(): Promise<{ seconds: number; keys: number; wholeSeconds: number }> {
  const { scanInto } = (await built('migrate/scan/scan.js')) as typeof import('../src/migrate/scan/scan.ts');
  let copied = 0;
  const result = await scanInto({
    ...{ source: place(source), target: place(target), replace: false, notifications: false, mostPasses: 1 },
    signal: new AbortController().signal,
    say: () => {},
    onProgress: () => {
      copied = seconds();
    },
  });
  return { seconds: copied, keys: result.keys, wholeSeconds: seconds() };
}
