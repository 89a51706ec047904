import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);

/** The chart library as it is put into a page: its script, which defines `uPlot`, and its style sheet. */
export function uplotAssets(): { script: string; style: string } {
  const folder = path.dirname(require.resolve('uplot'));
  const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');
  return { script: read('uPlot.iife.min.js').trim(), style: read('uPlot.min.css').trim() };
}
