import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runMirror } from './built.ts';

/** One mirror, as a process of its own: `node mirror-once.js SOURCE TARGET`, ports on this machine. Until its stdin ends. */
const [source, target] = process.argv.slice(2).map(Number) as [number, number];
const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-bench-queue-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const stop = new AbortController();
process.stdin.resume().on('end', () => stop.abort());
await runMirror(source, target, folder, stop.signal);
