// Manifests of an AOF, spoilt: whatever they list lies in the member's own folder of AOF parts.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mutateText } from '../fuzz-support/mutate.mjs';
import { root } from '../setup.mjs';

const seed = [
  'file appendonly.aof.1.base.rdb seq 1 type b',
  'file "with space.aof" seq 1 type h',
  'file appendonly.aof.1.incr.aof seq 1 type i',
  'file appendonly.aof.2.incr.aof seq 2 type i',
  '',
].join('\n');

export async function create() {
  const { aofParts, aofStamp, dataFiles } = await import(
    path.join(root, 'dist', 'agent', 'persistence', 'data-files.js')
  );
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-fuzz-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  let parts = 0;

  async function run(random) {
    const conf = mutateText(
      'appenddirname appendonlydir\nappendfilename appendonly.aof\ndbfilename dump.rdb\n',
      random,
      '"\'\\/.. \n',
    );
    const files = dataFiles(folder, random(4) === 0 ? conf : '');
    for (const file of [files.rdb, files.aofFolder, files.aofManifest, files.aofSingle]) {
      if (!path.resolve(file).startsWith(folder)) return `${file} lies outside, from ${JSON.stringify(conf)}`;
    }
    mkdirSync(path.join(folder, 'appendonlydir'), { recursive: true });
    const own = dataFiles(folder, '');
    writeFileSync(own.aofManifest, mutateText(seed, random, '"\'\\/.. \n\u0000'));
    for (const file of await aofParts(own)) {
      parts++;
      if (path.dirname(path.resolve(file)) !== path.resolve(own.aofFolder)) return `${file} lies outside`;
    }
    await aofStamp(own);
    return undefined;
  }

  return { run, summary: () => `${parts} parts` };
}
