import { streamBetween } from './built.ts';

/** One mirror, as a process of its own: `node mirror-once.js SOURCE TARGET`, ports on this machine. Until its stdin ends. */
const [source, target] = process.argv.slice(2).map(Number) as [number, number];
const stream = await streamBetween(source, target);
const stop = new AbortController();
process.stdin.resume().on('end', () => stop.abort());
await stream.run(stop.signal);
