import { randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { stateDirOf } from '../agent/state/paths.ts';
import { errorText } from '../base/errors.ts';
import { parseSize } from '../base/size.ts';
import type { Finding } from '../migrate/finding.ts';
import { noteMigration } from '../migrate/known.ts';
import { methods } from '../migrate/method.ts';
import { isFile, migrationPaths, type Plan, writePlan } from '../migrate/plan.ts';
import { refuseWhatIsRefused } from '../migrate/preflight.ts';
import { type Kind, kinds } from '../rdb/format.ts';
import { conflictRules } from '../rdb/merge-input.ts';
import { BadOption } from './errors.ts';
import {
  type MigrateOptions,
  refuseWhatOnlyFilesCan,
  sourcesOf,
  targetOf,
  withOwned,
} from './migrate-plan.ts';
import { migrateScanVerb } from './migrate-scan.ts';
import { migrateVerbs } from './migrate-verbs.ts';
import { migrateVerifyVerb } from './migrate-verify.ts';
import type { Output } from './output.ts';
import { collectWhole } from './rdb-options.ts';
import { openTarget } from './target.ts';
import { action, verb } from './verb.ts';

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
    ['holdfast migrate dump.rdb s3://bucket/b.rdb --prefix a: --prefix b: --to holdfast.yaml', 'from files'],
    ['holdfast migrate cutover', 'hold the writers, apply the rest, compare'],
  ])
    .argument(
      '[source...]',
      'redis://[user@]host:port, rediss://…, sentinel://host:port,host:port/NAME; an RDB file, the folder of an AOF, s3://…',
    )
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
    .option('--types <list>', `only keys of these types, with commas between: ${kinds.join(', ')}`, typesOf)
    .addOption(
      new Option(
        '--on-conflict <rule>',
        'when a key is at the target already; first and newest-expiry for files',
      )
        .choices([...conflictRules])
        .default('fail'),
    )
    .option('--max-rate <size>', 'read no more than so many bytes a second from each source', rate, 0)
    .option(
      '--max-lag <size>',
      'read nothing while a replica of the target is further behind it than so many bytes',
      rate,
    )
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
  for (const each of [...migrateVerbs(placeOfState), migrateScanVerb(), migrateVerifyVerb(placeOfState)])
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
  refuseWhatOnlyFilesCan(sources, options);
  const looked = await preflight({ sources, target }, options.method);
  const { choice, sources: found, target: there, findings } = looked;
  tell(output, findings);
  const how = sources.every(({ url }) => isFile(url)) ? 'from files' : `by ${choice.method}`;
  if (options.preflight || options.explain) {
    output.data({ choice, sources: found, target: there, findings });
    output.line(`${how}: ${choice.because}`);
    if (options.explain)
      output.line(whatItMeans[sources.every(({ url }) => isFile(url)) ? 'files' : choice.method]);
    refuseWhatIsRefused(findings);
    output.line('nothing speaks against it');
    return 0;
  }
  refuseWhatIsRefused(findings);
  output.note(`${how}: ${choice.because}`);
  const plan: Plan = {
    ...{ version: 1, id: randomBytes(6).toString('hex'), createdMs: Date.now(), target },
    method: choice.method,
    sources: choice.method === 'scan' ? await withOwned({ sources, target }, looked, options) : sources,
    ...{ onConflict: options.onConflict, maxRate: options.maxRate, maxLag: options.maxLag ?? null },
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
  files:
    'Everything in them is copied, exactly once, and then the migration is finished: nobody writes there.',
} as const;

function tell(output: Output, findings: readonly Finding[]): void {
  for (const { level, text } of findings) {
    if (level === 'warning') output.note(`${output.colors.yellow('warning:')} ${text}`);
  }
}

function typesOf(text: string): Kind[] {
  const named = text.split(',').map((each) => each.trim());
  const unknown = named.find((each) => !kinds.some((kind) => kind === each));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`'${unknown}' is no type. Types are ${kinds.join(', ')}.`);
  return kinds.filter((kind) => named.includes(kind));
}

function rate(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined || bytes <= 0) throw new InvalidArgumentError('Say a size: 20mb.');
  return bytes;
}
