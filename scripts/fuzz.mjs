// `npm run fuzz`: feeds broken input to the built code. `npm run fuzz -- rdb --runs 100000 --seed 7` runs one target.
// A target is a file in scripts/fuzz/ that exports `create()`: it gives `{ run(random) }`, which throws, or returns a
// sentence, when something is wrong, and `close()` if it has anything to end. The same seed gives the same runs. A target
// whose runs are long exports how many are `runs: { usual, long }`; `--long` is for a night: ten million runs otherwise. What
// takes long says every half minute how far it is, and how fast. SIGINT and SIGTERM end it after the run that it is in; it says
// then how to go on from there (`--from`).
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuild, ensureDependencies, root } from './setup.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string' },
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
    long: { type: 'boolean', default: false },
  },
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
const progressMs = 30_000;
let failed = 0;
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => (stopped = true));

for (const name of wanted) {
  if (!targets.includes(name)) {
    console.error(`fuzz: there is no target ${name}; there are ${targets.join(', ')}`);
    process.exit(2);
  }
  const { create, runs = usualRuns } = await import(path.join(folder, `${name}.mjs`));
  const target = await create();
  failed += await fuzz(name, target, Number(values.runs ?? runs[values.long ? 'long' : 'usual']));
  await target.close?.();
  if (stopped) break;
}
console.log(`${wanted.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

async function fuzz(name, target, runs) {
  const started = performance.now();
  const first = Number(values.from);
  let told = started;
  const sofar = (run) => {
    const seconds = (performance.now() - started) / 1000;
    const peak = Math.round(process.resourceUsage().maxRSS / 1024);
    const rate = ((run - first) / seconds).toPrecision(3);
    const summary = target.summary ? `: ${target.summary()}` : '';
    return `${run - first} runs in ${seconds.toFixed(1)} s (${rate}/s), ${peak} MiB at most, seed ${seed}${summary}`;
  };
  for (let run = first; run < runs || stopped; run++) {
    if (stopped) {
      console.log(`${name}: stopped after ${sofar(run)}`);
      console.log(
        `go on: npm run fuzz -- ${name}${values.long ? ' --long' : ` --runs ${runs}`} --seed ${seed} --from ${run}`,
      );
      return 0;
    }
    if (performance.now() - told > progressMs) {
      told = performance.now();
      console.log(`${name}: ${sofar(run)}`);
    }
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
    // A terminal tells those whom a target started, too.
    if (complaint !== undefined && !stopped) {
      console.error(
        `${name}: run ${run} after ${sofar(run)}: ${complaint}\nagain: npm run fuzz -- ${name} --runs 1 --seed ${runSeed}`,
      );
      return 1;
    }
  }
  console.log(`${name}: ${sofar(runs)}`);
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
