import type { Command } from 'commander';
import { Option } from 'commander';
import { parseDuration } from '../base/duration.ts';
import { parseSize } from '../base/size.ts';
import type { DrillSettings } from '../drill/scenario.ts';
import { scenarios } from '../drill/scenarios.ts';
import { BadOption, StoppedBySignal } from './errors.ts';
import type { Output } from './output.ts';
import { action, type CommonOptions, verb } from './verb.ts';

interface DrillOptions extends CommonOptions {
  times: string;
  clients: string;
  load: string;
  valueSize: string;
  duration: string;
  durability: DrillSettings['durability'];
  persistence: DrillSettings['persistence'];
  besidePlain?: boolean;
}

export function drillVerb(): Command {
  return verb('drill', 'make a failure on purpose, under load, and account for every acknowledged write', [
    ['holdfast drill primary-crash', 'on a deployment of its own, which is gone afterwards'],
    ['holdfast drill primary-crash --times 50 --durability replicated', 'fifty times, none may be lost'],
    ['holdfast drill all --html drills.html', 'every scenario, one table, one page'],
  ])
    .argument('<scenario>', `all, or one of ${scenarios.map(({ name }) => name).join(', ')}`)
    .option('--times <count>', 'how often each is run', '1')
    .option('--clients <count>', 'clients that write', '8')
    .option('--load <writes>', 'writes a second, all clients together, or max', '2000')
    .option('--value-size <size>', "a string's bytes", '100')
    .option('--duration <duration>', 'how long the load runs at least', '4s')
    .addOption(
      new Option('--durability <kind>', 'what an acknowledgement means')
        .choices(['async', 'replicated'])
        .default('async'),
    )
    .addOption(
      new Option('--persistence <kind>', 'how data reaches the disk')
        .choices(['none', 'rdb', 'aof-everysec', 'aof-always'])
        .default('aof-everysec'),
    )
    .option('--beside-plain', 'the same with Sentinel + HAProxy as people set them up, in the same table')
    .action(action<DrillOptions>(drill));
}

async function drill(output: Output, [name = '']: string[], options: DrillOptions): Promise<number> {
  const { runCampaign } = await import('../drill/campaign.ts');
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop.abort(StoppedBySignal(`stopped by ${signal}`)));
  }
  const results = await runCampaign({
    scenarios: name === 'all' ? scenarios : scenarios.filter((each) => each.name === name),
    settings: {
      durability: options.durability,
      persistence: options.persistence,
      clients: Number(options.clients),
      writesPerSecond: options.load === 'max' ? null : Number(options.load),
      valueBytes: parseSize(options.valueSize) ?? 0,
      durationMs: parseDuration(options.duration) ?? 0,
    },
    times: Number(options.times),
    besidePlain: options.besidePlain === true,
    report: (line) => output.note(output.colors.dim(line)),
    signal: stop.signal,
  });
  output.data(results);
  return 0;
}
