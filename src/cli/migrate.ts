import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { stateDirOf } from '../agent/state/paths.ts';
import { errorText } from '../base/errors.ts';
import { parseSize } from '../base/size.ts';
import { noteMigration } from '../migrate/known.ts';
import { type Method, methods } from '../migrate/method.ts';
import { migrationPaths, type Plan, writePlan } from '../migrate/plan.ts';
import { type Finding, refuseWhatIsRefused } from '../migrate/preflight.ts';
import { BadOption } from './errors.ts';
import { targetPlace } from './migrate-access.ts';
import type { Preflight } from './migrate-run.ts';
import { migrateScanVerb } from './migrate-scan.ts';
import { migrateVerbs } from './migrate-verbs.ts';
import { migrateVerifyVerb } from './migrate-verify.ts';
import type { Output } from './output.ts';
import { collectWhole } from './rdb-options.ts';
import { openTarget } from './target.ts';
import { action, type CommonOptions, verb } from './verb.ts';

interface MigrateOptions extends CommonOptions {
  to?: string;
  user?: string;
  sourcePasswordFile?: string;
  targetPasswordFile?: string;
  sentinelPasswordFile?: string;
  sourceCa?: string;
  targetCa?: string;
  targetStateDir?: string;
  db?: string[];
  prefix?: string[];
  match?: string[];
  onConflict: 'fail' | 'last';
  maxRate: number;
  stateDir?: string;
  preflight?: boolean;
  method: Method;
  explain?: boolean;
}

/** No deployment can be called so. */
const placeOfState = '.migration';

export function migrateVerb(): Command {
  const command = verb('migrate', 'move data in from servers that run, and change over to it', [
    [
      'holdfast migrate redis://10.0.0.1:6379 --to holdfast.yaml',
      'copy, and then follow what is written there',
    ],
    ['holdfast migrate sentinel://10.0.0.1:26379/mymaster --to redis://10.0.1.5', 'whoever is primary there'],
    [
      'holdfast migrate redis://a:6379 redis://b:6379 --db 2:0=1 --to holdfast.yaml',
      'two into one: database 0 of b becomes 1',
    ],
    ['holdfast migrate cutover', 'hold the writers, apply the rest, compare'],
  ])
    .argument('[source...]', 'redis://[user@]host:port, rediss://…, sentinel://host:port,host:port/NAME')
    .option('--to <target>', 'a spec file, or redis://[user@]host:port')
    .option('--user <name>', 'whom to log in as at a deployment that has users of its own')
    .option('--source-password-file <files>', 'holds the password of the source; with commas one for each')
    .option('--target-password-file <file>', 'holds the password of the target')
    .option('--sentinel-password-file <file>', 'holds the password of the Sentinels of the sources')
    .option('--source-ca <file>', 'certificate of the authority, for sources with TLS')
    .option('--target-ca <file>', 'the same for the target')
    .option('--target-state-dir <dir>', "the target deployment's state directory, instead of the default one")
    .option(
      '--db <move>',
      'move a database: FROM=TO, or SOURCE:FROM=TO for the nth source; repeat it',
      collectWhole,
    )
    .option(
      '--prefix <text>',
      'put before every key at the target; once for all sources, or once for each',
      collectWhole,
    )
    .option('--match <pattern>', 'only keys that match, as in SCAN; repeat it', collectWhole)
    .addOption(
      new Option('--on-conflict <rule>', 'when a key is at the target already')
        .choices(['fail', 'last'])
        .default('fail'),
    )
    .option('--max-rate <size>', 'read no more than so many bytes a second from each source', rate, 0)
    .addOption(
      new Option(
        '--method <how>',
        'replication where the source lets a replica in, else scan; or one of them',
      )
        .choices(methods)
        .default('auto'),
    )
    .option('--explain', 'only say how it would be done, and why')
    .option('--preflight', 'only look whether it can be done')
    .option('--state-dir <dir>', 'where this migration keeps its state, instead of the default place')
    .action(
      action<MigrateOptions>((output, [sources], options) =>
        migrate(output, sources as unknown as string[], options),
      ),
    );
  for (const each of [...migrateVerbs(placeOfState), migrateScanVerb(), migrateVerifyVerb()])
    command.addCommand(each);
  return command;
}

async function migrate(output: Output, urls: string[], options: MigrateOptions): Promise<number> {
  const { preflight, runMigration } = await import('./migrate-run.ts');
  if (urls.length === 0 || options.to === undefined) {
    throw BadOption(urls.length === 0 ? 'no source is named' : '--to names no target', {
      hint: 'holdfast migrate redis://host:port --to holdfast.yaml',
    });
  }
  const sources = sourcesOf(urls, options);
  const target = targetOf(options.to, options);
  const looked = await preflight({ sources, target }, options.method);
  const { choice, sources: found, target: there, findings } = looked;
  tell(output, findings);
  if (options.preflight || options.explain) {
    output.data({ choice, sources: found, target: there, findings });
    output.line(`by ${choice.method}: ${choice.because}`);
    if (options.explain) output.line(whatItMeans[choice.method]);
    refuseWhatIsRefused(findings);
    output.line('nothing speaks against it');
    return 0;
  }
  refuseWhatIsRefused(findings);
  output.note(`by ${choice.method}: ${choice.because}`);
  const plan: Plan = {
    ...{ version: 1, id: randomBytes(6).toString('hex'), createdMs: Date.now(), target },
    method: choice.method,
    sources: choice.method === 'scan' ? await withOwned({ sources, target }, looked, options) : sources,
    ...{ onConflict: options.onConflict, maxRate: options.maxRate },
    isAlone: sources.length === 1 && there.keys === 0,
  };
  const paths = migrationPaths(stateDirOf(placeOfState, options.stateDir));
  await writePlan(paths, plan);
  await tellAgent(output, plan, paths.root);
  await runMigration(output, paths, plan);
  return 0;
}

/** A deployment's own agent shows it, where this is one of its hosts. A migration does without that. */
async function tellAgent(output: Output, { target }: Plan, root: string): Promise<void> {
  if (!('spec' in target)) return;
  try {
    const { paths } = await openTarget(
      target.spec,
      target.stateDir === null ? {} : { stateDir: target.stateDir },
    );
    await noteMigration(paths.migrations, root);
  } catch (error) {
    output.note(
      `${output.colors.yellow('warning:')} the page of the target will not show it: ${errorText(error)}`,
    );
  }
}

const whatItMeans = {
  replication:
    'Everything is copied, then every write follows in its order, exactly once; holdfast migrate cutover holds the writers and changes over.',
  scan: 'Each key is copied, then what changed is found by keyspace notifications or by passes that compare, until nothing differs; it says at its end which guarantee holds.',
} as const;

/** By scan nothing is written over, nor deleted, that may be somebody else's, unless that was said. @throws BAD_OPTION */
async function withOwned(
  { sources, target }: Pick<Plan, 'sources' | 'target'>,
  looked: Preflight,
  { onConflict }: MigrateOptions,
): Promise<Plan['sources']> {
  const { ownedParts } = await import('../migrate/scan/owned.ts');
  const parts = sources.map(({ prefix, dbs }, index) => ({
    prefix,
    dbs,
    sourceDbs: looked.sources[index]?.dbs ?? [],
  }));
  const owned = await ownedParts(await targetPlace(target), parts);
  const notAlone = sources.find(
    (_, index) => owned[index]?.length === 0 && parts[index]!.sourceDbs.length > 0,
  );
  if (notAlone !== undefined && onConflict === 'fail') {
    throw BadOption(`where the keys of ${notAlone.url} would go there are others, or come others`, {
      hint: 'Take an empty target, or give each source a --prefix, or a --db, of its own; --on-conflict last writes over what has the same name.',
    });
  }
  return sources.map((source, index) => ({ ...source, owned: owned[index] ?? null }));
}

function tell(output: Output, findings: readonly Finding[]): void {
  for (const { level, text } of findings) {
    if (level === 'warning') output.note(`${output.colors.yellow('warning:')} ${text}`);
  }
}

function targetOf(to: string, options: MigrateOptions): Plan['target'] {
  if (to.includes('://')) {
    return { url: to, passwordFile: absolute(options.targetPasswordFile), ca: absolute(options.targetCa) };
  }
  return { spec: path.resolve(to), user: options.user ?? null, stateDir: absolute(options.targetStateDir) };
}

function sourcesOf(urls: readonly string[], options: MigrateOptions): Plan['sources'] {
  const files = options.sourcePasswordFile?.split(',') ?? [];
  if (files.length > 1 && files.length !== urls.length) {
    throw BadOption(`--source-password-file names ${files.length} files for ${urls.length} sources`, {
      hint: 'Name one for all sources, or one for each, in their order, with commas between.',
    });
  }
  const prefixes = options.prefix ?? [];
  if (prefixes.length > 1 && prefixes.length !== urls.length) {
    throw BadOption(`--prefix is given ${prefixes.length} times for ${urls.length} sources`, {
      hint: 'Say it once for all, or once for each in their order; --prefix "" for none.',
    });
  }
  const moves = (options.db ?? []).map((text) => moveOf(text, urls.length));
  return urls.map((url, index) => ({
    url,
    passwordFile: absolute(files.length > 1 ? files[index] : files[0]),
    sentinelPasswordFile: absolute(options.sentinelPasswordFile),
    ca: absolute(options.sourceCa),
    dbs: moves
      .filter(({ source }) => source === undefined || source === index + 1)
      .map(({ from, to }): [number, number] => [from, to]),
    prefix: (prefixes.length > 1 ? prefixes[index] : prefixes[0]) ?? '',
    match: options.match ?? [],
    owned: [],
  }));
}

function moveOf(text: string, sources: number): { source: number | undefined; from: number; to: number } {
  const match = /^(?:(\d+):)?(\d{1,5})=(\d{1,5})$/.exec(text);
  const source = match?.[1] === undefined ? undefined : Number(match[1]);
  if (match && (source === undefined || (source >= 1 && source <= sources))) {
    return { source, from: Number(match[2]), to: Number(match[3]) };
  }
  throw BadOption(`--db ${text} moves nothing`, {
    hint: 'Say FROM=TO, or SOURCE:FROM=TO with sources from 1.',
  });
}

function absolute(file: string | undefined): string | null {
  return file === undefined ? null : path.resolve(file);
}

function rate(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined || bytes <= 0) throw new InvalidArgumentError('Say a size: 20mb.');
  return bytes;
}
