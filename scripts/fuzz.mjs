// `npm run fuzz`: feeds broken input to the built code. `npm run fuzz -- rdb --runs 100000 --seed 7` runs one target.
// A target is a file in scripts/fuzz/ that exports `create()`: it gives `{ run(random) }`, which throws, or returns a
// sentence, when something is wrong, and `close()` if it has anything to end. The same seed gives the same runs. A target
// whose runs are long exports how many are `runs: { usual, long }`; `--long` is for a night: ten million runs otherwise.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuild, ensureDependencies, root } from './setup.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string' }, seed: { type: 'string' }, long: { type: 'boolean', default: false } },
});
ensureDependencies();
ensureBuild();

const folder = path.join(root, 'scripts', 'fuzz');
const targets = readdirSync(folder)
  .filter((file) => file.endsWith('.mjs'))
  .map((file) => file.slice(0, -4));
const wanted = positionals.length > 0 ? positionals : targets;
const usualRuns = { usual: 100_000, long: 10_000_000 };
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
/** No target may take more, however long it runs. */
const maxBytes = 512 * 2 ** 20;
let failed = 0;

for (const name of wanted) {
  if (!targets.includes(name)) {
    console.error(`fuzz: there is no target ${name}; there are ${targets.join(', ')}`);
    process.exit(2);
  }
  const { create, runs = usualRuns } = await import(path.join(folder, `${name}.mjs`));
  const target = await create();
  failed += await fuzz(name, target, Number(values.runs ?? runs[values.long ? 'long' : 'usual']));
  await target.close?.();
}
console.log(`${wanted.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

async function fuzz(name, target, runs) {
  const started = performance.now();
  for (let run = 0; run < runs; run++) {
    // Each run has a seed of its own, so that one can be looked at without those before it.
    const runSeed = (seed + run * 2654435761) >>> 0;
    let complaint;
    try {
      complaint = await target.run(randomFrom(runSeed));
    } catch (error) {
      complaint = error.stack ?? String(error);
    }
    if (run % 256 === 0 && process.memoryUsage().rss > maxBytes) {
      complaint ??= `${process.memoryUsage().rss} bytes of memory are taken, ${maxBytes} may be`;
    }
    if (complaint !== undefined) {
      console.error(
        `${name}: run ${run}: ${complaint}\nagain: npm run fuzz -- ${name} --runs 1 --seed ${runSeed}`,
      );
      return 1;
    }
  }
  const peak = Math.round(process.resourceUsage().maxRSS / 1024);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${name}: ${runs} runs in ${seconds} s, ${peak} MiB at most, seed ${seed}${target.summary ? `: ${target.summary()}` : ''}`,
  );
  return 0;
}

/** A small generator (mulberry32): random(n) is a whole number from 0 to n - 1. */
function randomFrom(start) {
  let state = start;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
