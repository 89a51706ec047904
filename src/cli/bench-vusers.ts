import type { Command } from 'commander';
import {
  durabilities,
  persistences,
  readCount,
  readCounts,
  readDuration,
  readPercent,
  readWord,
} from './bench-options.ts';
import { benchAction } from './bench-run.ts';
import { BadOption } from './errors.ts';
import { type CommonOptions, verb } from './verb.ts';

interface VuserOptions extends CommonOptions {
  ramp: string;
  think: string;
  step: string;
  rounds: string;
  reads: string;
  size: string;
  durability: string;
  persistence: string;
}

export function vusersVerb(): Command {
  const command = verb(
    'vusers',
    'virtual users with think time, more with each step, and where the knee is',
    [
      ['holdfast bench vusers', '1000, 2000 and 3000 users through the gate, and directly'],
      ['holdfast bench vusers --ramp 500,1000,5000 --think 1s', 'other steps, more patient users'],
      ['holdfast bench vusers --durability replicated', 'writes wait for every replica'],
    ],
  )
    .option('--ramp <counts>', 'users of each step, rising', '1000,2000,3000')
    .option('--think <duration>', 'mean pause of a user between two requests', '200ms')
    .option('--step <duration>', 'how long each step is measured, after 2 s to warm up', '8s')
    .option('--rounds <count>', 'how often the ramp is gone up', '3')
    .option('--reads <percent>', 'share of reads', '80')
    .option('--size <bytes>', 'size of a value', '100')
    .option('--durability <kind>', 'async or replicated', 'async')
    .option('--persistence <kind>', 'none, rdb, aof-everysec or aof-always', 'aof-everysec');
  return benchAction<VuserOptions>(command, async (options, context) => {
    const { benchVusers } = await import('../bench/vusers.ts');
    const { vusersResult } = await import('../bench/vusers-page.ts');
    const settings = {
      ramp: readRamp(options.ramp),
      thinkMs: readDuration('--think', options.think),
      stepMs: readDuration('--step', options.step),
      rounds: readCount('--rounds', options.rounds),
      readShare: readPercent('--reads', options.reads) / 100,
      valueBytes: readCount('--size', options.size),
      durability: readWord('--durability', options.durability, durabilities),
      persistence: readWord('--persistence', options.persistence, persistences),
    };
    return vusersResult(await benchVusers(settings, context));
  });
}

function readRamp(text: string): number[] {
  const ramp = readCounts('--ramp', text);
  if (ramp.every((users, i) => i === 0 || users > (ramp[i - 1] as number))) return ramp;
  throw BadOption(`--ramp: ${text} does not rise from step to step`, {
    hint: 'For example --ramp 100,500,1000.',
  });
}
