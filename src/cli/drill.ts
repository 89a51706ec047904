import { type Command, Option } from 'commander';
import { activeSabotages } from '../base/sabotage.ts';
import { parseSize } from '../base/size.ts';
import { type BenchContext, type BenchResult, headOf, pageOf } from '../bench/result.ts';
import { keepBusy } from '../drill/busy.ts';
import { drillNotes } from '../drill/notes.ts';
import type { DrillSettings, Scenario } from '../drill/scenario.ts';
import { scenarios } from '../drill/scenarios.ts';
import type { LiveTestbed } from '../testbed/live-testbed.ts';
import { readCount, readDuration } from './bench-options.ts';
import { benchAction } from './bench-run.ts';
import type { LiveOptions } from './drill-live.ts';
import { BadOption } from './errors.ts';
import type { Output } from './output.ts';
import { type CommonOptions, stateDirOption, verb } from './verb.ts';

interface DrillOptions extends CommonOptions, LiveOptions {
  times: string;
  clients: string;
  load?: string;
  valueSize: string;
  duration: string;
  durability?: DrillSettings['durability'];
  persistence?: DrillSettings['persistence'];
  withoutSentinels?: boolean;
  onSplit?: DrillSettings['standalone']['onSplit'];
  besidePlain?: boolean;
  tls?: boolean;
  busy?: boolean;
  batch?: string;
  detectAfter?: string;
  log?: string;
}

const usualLoad = '2000';
/** Where others work, the drill's own load should hardly be noticed. */
const liveLoad = '200';
const mostValueBytes = 2 ** 20;

export function drillVerb(): Command {
  const command = verb('drill', 'make a failure on purpose, under load, and account for every write', [
    ['holdfast drill primary-crash', 'on a deployment of its own, which is gone afterwards'],
    ['holdfast drill primary-crash --times 50 --durability replicated', 'fifty times; nothing may be lost'],
    [
      'holdfast drill all --beside-plain --html drills.html',
      'every drill, also on Sentinel + HAProxy, as a page',
    ],
    ['holdfast drill all --against prod.yaml', 'those that do no harm, on what runs there, after asking'],
  ])
    .argument('<scenario...>', 'one or several of those below, or all')
    .option('--times <count>', 'how often each is run', '1')
    .option('--clients <count>', 'clients that write', '8')
    .option(
      '--load <writes>',
      `writes a second, all together, or max (default: ${usualLoad}, with --against ${liveLoad})`,
    )
    .option('--value-size <size>', "a string's bytes", '100')
    .option('--duration <duration>', 'how long the load runs at least', '4s')
    .addOption(
      new Option(
        '--durability <kind>',
        'what an acknowledgement means: gate.durability (default: async); quorum: three standalone members with that ack, for the mirror drills',
      ).choices(['async', 'replicated', 'quorum']),
    )
    .addOption(
      new Option(
        '--persistence <kind>',
        'how data reaches the disk: redis.persistence (default: aof-everysec)',
      ).choices(['none', 'rdb', 'aof-everysec', 'aof-always']),
    )
    .option(
      '--without-sentinels',
      'nobody votes who leads (sentinel.count: 0), for the mirror drills: a person says it where one is needed',
    )
    .addOption(
      new Option('--on-split <kind>', 'mirror.onSplit, for the mirror drills (default: refuse)').choices([
        'refuse',
        'serve',
      ]),
    )
    .option('--tls', 'members, Sentinels, gates and the API speak TLS only, and so do the clients')
    .option('--beside-plain', 'the same on Sentinel + HAProxy as people set it up, in the same tables')
    .option(
      '--batch <count>',
      'primary-crash: so many crashes in a row on one deployment, instead of one on each',
    )
    .option('--detect-after <duration>', 'with --batch: sentinel.detectAfter of those deployments')
    .option('--log <file>', 'with --batch: what is done; a series that was broken off goes on there')
    .option('--busy', 'keep every processor of this machine busy meanwhile')
    .option(
      '--against <spec>',
      'on a deployment that runs on this host; only drills that do no harm, after asking',
    )
    .option('--user <name>', 'with --against: whom the clients log in as')
    .addOption(stateDirOption())
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', `\nScenarios:\n${scenarioLines().join('\n')}`);
  return benchAction<DrillOptions>(command, async (options, context, { args, output }) => {
    for (const way of activeSabotages()) output.note(`${output.colors.yellow('warning:')} ${way}`);
    // A variadic argument comes as one list.
    const names = args.flat();
    const chosen = choose(names);
    checkStandalone(options, chosen);
    checkBatchOptions(options);
    checkTls(options);
    const plan = await planOf(output, options, chosen, readSettings(options));
    if (plan !== null && options.batch !== undefined) return runSeries(plan, options.batch, options, context);
    return plan && runPlan(plan, names, options, context);
  });
}

const usualLogFile = 'crashes.jsonl';

/** Many crashes in a row on few deployments. */
async function runSeries(
  { scenarios: chosen, settings, live }: Plan,
  batch: string,
  options: DrillOptions,
  context: BenchContext,
): Promise<BenchResult & { exitStatus: number }> {
  if (live !== null || chosen.length !== 1 || chosen[0]?.name !== 'primary-crash') {
    throw BadOption('--batch is for primary-crash alone, on deployments of its own', {
      hint: 'For example holdfast drill primary-crash --times 1000 --batch 50.',
    });
  }
  const { runCrashSeries, seriesHolds, seriesTable } = await import('../drill/crash-series.ts');
  const busy = options.busy === true ? keepBusy() : null;
  const batches = await runCrashSeries({
    settings,
    times: readCount('--times', options.times),
    perBatch: readCount('--batch', batch),
    logFile: options.log ?? usualLogFile,
    busy: busy !== null,
    detectAfterMs:
      options.detectAfter === undefined ? null : readDuration('--detect-after', options.detectAfter),
    report: context.report,
    signal: context.signal,
  }).finally(() => busy?.end());
  const head = headOf('drill', context);
  const table = seriesTable(batches);
  const remarks = [
    ...(busy === null ? [] : [busy.note]),
    ...drillNotes(settings, { besidePlain: false, live: false }),
  ];
  return {
    data: { ...head, batches },
    page: pageOf(head, 'Crashes of the primary', [table], remarks),
    csv: { header: table.header, rows: table.rows },
    exitStatus: seriesHolds(batches) ? 0 : 3,
  };
}

function checkBatchOptions({ batch, log, detectAfter }: DrillOptions): void {
  for (const [option, given] of [
    ['--log', log],
    ['--detect-after', detectAfter],
  ] as const) {
    if (given !== undefined && batch === undefined)
      throw BadOption(`${option} is for a series of batches`, {
        hint: `Add --batch 50, or leave ${option} out.`,
      });
  }
}

/** What is for standalone members, and which of it goes together. */
function checkStandalone(
  { durability, withoutSentinels, onSplit }: DrillOptions,
  chosen: readonly Scenario[],
): void {
  const other = chosen.find(({ topology }) => topology !== 'mirror');
  for (const [option, given] of [
    ['--durability quorum', durability === 'quorum'],
    ['--without-sentinels', withoutSentinels],
    ['--on-split', onSplit !== undefined],
  ] as const) {
    if (!given || other === undefined) continue;
    throw BadOption(`${option} is for standalone members, which ${other.name} has none of`, {
      hint: 'Leave it out, or take the drills whose names begin with mirror-.',
    });
  }
  if (withoutSentinels && durability === 'quorum')
    throw BadOption('--durability quorum needs votes on who may lead, and --without-sentinels has none', {
      hint: 'Take --durability replicated (ack: all) or async (ack: one).',
    });
  if (onSplit === 'serve' && (durability ?? 'async') !== 'async')
    throw BadOption(
      `--on-split serve is for --durability async: else a lead that is cut off acknowledges nothing`,
      {
        hint: 'Leave one of the two out.',
      },
    );
}

/** Those that have none. */
function checkTls({ tls, batch, besidePlain }: DrillOptions): void {
  const other = batch !== undefined ? '--batch' : besidePlain ? '--beside-plain' : null;
  if (tls === undefined || other === null) return;
  throw BadOption(`--tls can't be chosen with ${other}: those deployments speak no TLS`, {
    hint: `Leave one of the two out.`,
  });
}

type Plan = NonNullable<Awaited<ReturnType<typeof planOf>>>;

async function runPlan(
  plan: Plan,
  names: readonly string[],
  options: DrillOptions,
  context: BenchContext,
): Promise<BenchResult & { exitStatus: number }> {
  const { runCampaign } = await import('../drill/campaign.ts');
  const { drillSections } = await import('../drill/page.ts');
  const { drillCsv, drillData } = await import('../drill/data.ts');
  const { hasBroken } = await import('../drill/summary.ts');
  const { settings } = plan;
  const besidePlain = options.besidePlain === true;
  const busy = options.busy === true ? keepBusy() : null;
  const campaign = runCampaign({
    ...plan,
    times: readCount('--times', options.times),
    besidePlain,
    report: context.report,
    signal: context.signal,
  });
  const { results, brokenOff } = await campaign.finally(() => busy?.end());
  if (brokenOff !== null) context.report(`broken off: ${brokenOff}. This is what ran until then:`);
  const head = headOf('drill', context);
  const notes = [
    ...(busy === null ? [] : [busy.note]),
    ...(brokenOff === null ? [] : [`Broken off, so not all of it was run: ${brokenOff}.`]),
  ];
  const remarks = drillNotes(settings, { besidePlain, live: plan.live !== null });
  return {
    data: { ...head, brokenOff, ...drillData(results, settings) },
    page: pageOf(head, `Drills: ${names.join(', ')}`, drillSections(results, settings), [
      ...activeSabotages(),
      ...notes,
      ...remarks,
    ]),
    csv: drillCsv(results),
    exitStatus: hasBroken(results) ? 3 : brokenOff === null ? 0 : 1,
  };
}

/** A deployment of its own for each run, or the one that was named. */
async function planOf(
  output: Output,
  options: DrillOptions,
  scenarios: readonly Scenario[],
  settings: DrillSettings,
): Promise<{ live: LiveTestbed | null; scenarios: readonly Scenario[]; settings: DrillSettings } | null> {
  const { against } = options;
  if (against === undefined) return { live: null, scenarios, settings };
  for (const [option, given] of [
    ['--durability', options.durability],
    ['--persistence', options.persistence],
    ['--without-sentinels', options.withoutSentinels],
    ['--on-split', options.onSplit],
    ['--tls', options.tls],
    ['--beside-plain', options.besidePlain],
  ] as const) {
    if (given === undefined) continue;
    throw BadOption(`${option} can't be chosen with --against: ${against} says what the deployment is like`, {
      hint: `Leave ${option} out, or leave --against out and the drill makes a deployment of its own.`,
    });
  }
  const { planLive } = await import('./drill-live.ts');
  const plan = await planLive(output, { ...options, against }, scenarios, settings);
  return plan && { ...plan, live: plan.testbed };
}

function scenarioLines(): string[] {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return scenarios.map(({ name, when }) => `  ${name.padEnd(width)}  ${when}`);
}

function choose(names: readonly string[]): readonly Scenario[] {
  const known = scenarios.map(({ name }) => name);
  const isMeant = (name: string) => (scenario: Scenario) =>
    name === 'all' ? scenario.onlyByName !== true : isCalled(scenario, name);
  const unknown = names.find((name) => !scenarios.some(isMeant(name)));
  if (unknown !== undefined) {
    throw BadOption(`there is no drill '${unknown}'`, {
      hint: `There are ${known.join(', ')}; all runs every one.`,
    });
  }
  return scenarios.filter((scenario) => names.some((name) => isMeant(name)(scenario)));
}

/** By its name, or by what stands before a colon in it: all of its ways. */
function isCalled(scenario: Scenario, name: string): boolean {
  return scenario.name === name || scenario.name.startsWith(`${name}:`);
}

function readSettings(options: DrillOptions): DrillSettings {
  const load = options.load ?? (options.against === undefined ? usualLoad : liveLoad);
  const valueBytes = parseSize(options.valueSize);
  if (valueBytes === undefined || valueBytes < 1 || valueBytes > mostValueBytes) {
    throw BadOption(`--value-size: '${options.valueSize}' is no size from 1 to 1mb`, {
      hint: 'For example --value-size 100 or --value-size 4kb.',
    });
  }
  return {
    durability: options.durability ?? 'async',
    persistence: options.persistence ?? 'aof-everysec',
    standalone: { sentinels: options.withoutSentinels !== true, onSplit: options.onSplit ?? 'refuse' },
    tls: options.tls === true,
    clients: readCount('--clients', options.clients),
    writesPerSecond: load === 'max' ? null : readCount('--load', load),
    valueBytes,
    durationMs: readDuration('--duration', options.duration),
  };
}
