import { type Command, Option } from 'commander';
import { parseSize } from '../base/size.ts';
import { headOf, pageOf } from '../bench/result.ts';
import type { DrillSettings, Scenario } from '../drill/scenario.ts';
import { scenarios } from '../drill/scenarios.ts';
import { readCount, readDuration } from './bench-options.ts';
import { benchAction } from './bench-run.ts';
import { BadOption } from './errors.ts';
import { type CommonOptions, verb } from './verb.ts';

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
  const command = verb('drill', 'make a failure on purpose, under load, and account for every write', [
    ['holdfast drill primary-crash', 'on a deployment of its own, which is gone afterwards'],
    ['holdfast drill primary-crash --times 50 --durability replicated', 'fifty times; nothing may be lost'],
    [
      'holdfast drill all --beside-plain --html drills.html',
      'every drill, also on Sentinel + HAProxy, as a page',
    ],
  ])
    .argument('<scenario>', 'one of those below, or all')
    .option('--times <count>', 'how often each is run', '1')
    .option('--clients <count>', 'clients that write', '8')
    .option('--load <writes>', 'writes a second, all clients together, or max', '2000')
    .option('--value-size <size>', "a string's bytes", '100')
    .option('--duration <duration>', 'how long the load runs at least', '4s')
    .addOption(
      new Option('--durability <kind>', 'what an acknowledgement means: gate.durability')
        .choices(['async', 'replicated'])
        .default('async'),
    )
    .addOption(
      new Option('--persistence <kind>', 'how data reaches the disk: redis.persistence')
        .choices(['none', 'rdb', 'aof-everysec', 'aof-always'])
        .default('aof-everysec'),
    )
    .option('--beside-plain', 'the same on Sentinel + HAProxy as people set it up, in the same tables')
    .addHelpText('after', `\nScenarios:\n${scenarioLines().join('\n')}`);
  return benchAction<DrillOptions>(command, async (options, context, { args: [name = ''] }) => {
    const chosen = choose(name);
    const settings = readSettings(options);
    const { runCampaign } = await import('../drill/campaign.ts');
    const { drillSections } = await import('../drill/page.ts');
    const { drillCsv, drillData } = await import('../drill/data.ts');
    const { hasBroken } = await import('../drill/summary.ts');
    const results = await runCampaign({
      scenarios: chosen,
      settings,
      times: readCount('--times', options.times),
      besidePlain: options.besidePlain === true,
      report: context.report,
      signal: context.signal,
    });
    const head = headOf('drill', context);
    const sections = drillSections(results, settings);
    return {
      data: { ...head, ...drillData(results, settings) },
      page: pageOf(head, `Drills: ${name}`, sections, notes(settings, options.besidePlain === true)),
      csv: drillCsv(results),
      exitStatus: hasBroken(results) ? 3 : 0,
    };
  });
}

function scenarioLines(): string[] {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return scenarios.map(({ name, when }) => `  ${name.padEnd(width)}  ${when}`);
}

function choose(name: string): readonly Scenario[] {
  if (name === 'all') return scenarios;
  const found = scenarios.filter((each) => each.name === name);
  if (found.length > 0) return found;
  throw BadOption(`there is no drill '${name}'`, {
    hint: `There are ${scenarios.map((each) => each.name).join(', ')}; all runs every one.`,
  });
}

function readSettings(options: DrillOptions): DrillSettings {
  const valueBytes = parseSize(options.valueSize);
  if (valueBytes === undefined || valueBytes < 1 || valueBytes > mostValueBytes) {
    throw BadOption(`--value-size: '${options.valueSize}' is no size from 1 to 1mb`, {
      hint: 'For example --value-size 100 or --value-size 4kb.',
    });
  }
  return {
    durability: options.durability,
    persistence: options.persistence,
    clients: readCount('--clients', options.clients),
    writesPerSecond: options.load === 'max' ? null : readCount('--load', options.load),
    valueBytes,
    durationMs: readDuration('--duration', options.duration),
  };
}

const mostValueBytes = 2 ** 20;

function notes(
  { durability, persistence, clients, writesPerSecond }: DrillSettings,
  besidePlain: boolean,
): string[] {
  const rate =
    writesPerSecond === null ? 'as many writes as are answered' : `${writesPerSecond} writes a second`;
  return [
    `${clients} clients make ${rate} (lists, hashes, counters, strings, and registers that two of them write), others read. durability ${durability}, persistence ${persistence}. Everything written is unique and logged; after the healing it is read back from the primary and compared on every replica, and the reads are checked for values that could not have been (linearizability, key by key).`,
    ...(durability === 'async'
      ? [
          'With durability async an acknowledged write may be lost when the primary is: what was lost is counted above.',
        ]
      : []),
    ...(besidePlain
      ? [
          'Sentinel + HAProxy: the settings of an operators’ tutorial (down-after 15 s, failover-timeout 30 s, AOF, a TCP check for role:master every second); nobody restarts what died before the Sentinels are done with it. It has no counterpart of durability replicated.',
        ]
      : []),
    'All processes are on one machine, also the three hosts, which are network namespaces: no power was cut and no disk failed.',
  ];
}
