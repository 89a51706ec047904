import { mkdtemp, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { type Command, Option } from 'commander';
import { RestoreRefused } from '../agent/errors.ts';
import type { RestoreFacts } from '../agent/restore/restore-checks.ts';
import type { RestoreResult } from '../agent/restore/run-restore.ts';
import { findRedisServer } from '../agent/server-program.ts';
import { NoRoomForBackup } from '../backup/errors.ts';
import { LibraryCheck } from '../backup/library-check.ts';
import { type PreparedRdb, prepareRdb } from '../backup/restore-file.ts';
import { findRestoreSource, type RestoreSource } from '../backup/restore-source.ts';
import type { KeyChoice, Taker } from '../backup/restore-taker.ts';
import { describeDuration } from '../base/duration.ts';
import { makeFolder } from '../base/make-folder.ts';
import { describeSize } from '../base/size.ts';
import { targetOfVersionText } from '../rdb/target.ts';
import { SnapshotServer } from '../redis/snapshot-server.ts';
import { readTls } from '../redis/tls.ts';
import { bindAddresses } from '../spec/bind.ts';
import { loadSecrets, ownUserName } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';
import { readIdentities } from './identities.ts';
import { interruptible } from './interrupt.ts';
import type { Output } from './output.ts';
import { ProgressLine } from './progress-line.ts';
import { collect, collectWhole } from './rdb-options.ts';
import { UnloadableList } from './rdb-report.ts';
import type { RestoreJob, RestoreOptions } from './restore-job.ts';
import { RestoreOutcome } from './restore-outcome.ts';
import { choiceOf, restoreSomeKeys } from './restore-some.ts';
import { openTarget } from './target.ts';
import { action, specArgument, stateDirOption, verb } from './verb.ts';

export function restoreVerb(): Command {
  return verb('restore', 'bring the data of a backup back into the running deployment', [
    ['holdfast restore latest', 'all of it, into an empty deployment'],
    [
      'holdfast restore redis_2026-01-27T200000Z --replace',
      'in place of what is there, which is backed up first',
    ],
    ["holdfast restore latest --match 'user:*'", 'some keys, beside those that are there'],
    ['holdfast restore latest --prefix old: --db 0', 'database 0 under other names, to look into'],
    ['holdfast restore /tmp/dump.rdb prod.yaml', 'any RDB file; s3://bucket/file.rdb works too'],
  ])
    .argument('<backup>', 'an id of backup list, latest, or the path or URL of an RDB file')
    .argument(...specArgument)
    .option('--replace', 'whole: drop what is there; some keys: overwrite those that are there')
    .option('--no-safety-backup', 'with --replace: do not take a backup of what is there first')
    .option('--yes', 'accepted for scripts: a restore asks nothing, --replace is the answer')
    .option('--match <pattern>', 'only keys like this, as KEYS has it; repeat it for more', collectWhole)
    .option('--db <numbers>', 'only these databases; 0=3 puts the keys of 0 into 3', collect)
    .option('--prefix <text>', 'put before each key that is restored')
    .option('--drop-unsupported', 'leave out what the primary cannot load, instead of refusing all of it')
    .option('--identity <file>', 'age identities that open an encrypted backup')
    .option('--work-dir <dir>', 'a folder with room for the whole RDB, instead of the state directory')
    .addOption(stateDirOption())
    .addOption(new Option('--job <id>', 'the agent’s job that this is the work of').hideHelp())
    .action(
      action<RestoreOptions>(
        (output, [wanted = '', file = ''], options) =>
          interruptible((signal) => restore(output, wanted, file, options, signal)),
        'any-host',
      ),
    );
}

async function restore(
  output: Output,
  wanted: string,
  file: string,
  options: RestoreOptions,
  signal: AbortSignal,
): Promise<number> {
  const target = await openTarget(file, options);
  const choice = await choiceOf(options);
  const say = (step: string) => output.note(`  ${output.colors.dim(step)}`);
  const facts = (await target.agent.run('restore', { facts: true }, say)) as RestoreFacts;
  if (choice === null && facts.keys > 0 && !options.replace) throw wouldOverwrite(facts);
  const identities = readIdentities(options.identity);
  const source = await findRestoreSource(wanted, target.spec, { identities });
  for (const note of source.notes) output.note(note);
  say(describeSource(source));
  const base = options.workDir ?? target.paths.scratch;
  await makeFolder(base, 0o700);
  const folder = await mkdtemp(path.join(base, 'restore-'));
  const outcome = new RestoreOutcome(target.agent);
  try {
    await checkRoom(folder, source.bytes);
    const rdb = path.join(folder, 'restore.rdb');
    const taker = takerOf(facts);
    const prepared = await prepare(output, source, rdb, taker, choice, options, target.spec, signal);
    const job: RestoreJob = {
      output,
      target,
      options,
      source,
      facts,
      taker,
      prepared,
      file: rdb,
      say,
      signal,
    };
    if (choice === null) await restoreAll(job, outcome);
    else await restoreSomeKeys(job);
    return 0;
  } catch (error) {
    if (signal.aborted) throw await outcome.interrupted(error);
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function wouldOverwrite({ primary, keys }: RestoreFacts): Error {
  return RestoreRefused(`${primary} holds ${keys} keys; a restore would replace all of them`, {
    hint: 'If that is meant, add --replace: a backup of what is there is taken first. To bring back some keys beside those that are there, choose them with --match, --db or --prefix.',
  });
}

function describeSource({ name, manifest, bytes }: RestoreSource): string {
  if (manifest === null) return `${name}${bytes === undefined ? '' : `, ${describeSize(bytes)}`}`;
  const { deployment, startedAt, keys, source, serverVersion } = manifest;
  return `${name}: ${keys} keys of ${deployment}, taken ${startedAt} from ${source.member} (${serverVersion})`;
}

function takerOf({ product, version, databases, modules }: RestoreFacts): Taker {
  const text = `${product} ${version}`;
  return { target: targetOfVersionText(text, modules), version: text, databases };
}

async function checkRoom(folder: string, bytes: number | undefined): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bytes === undefined || bavail * bsize > bytes) return;
  throw NoRoomForBackup(
    `${describeSize(bavail * bsize)} are free in ${folder}, and the RDB has ${describeSize(bytes)}`,
    { hint: 'Make room, or name a folder on another disk with --work-dir.' },
  );
}

async function prepare(
  output: Output,
  source: RestoreSource,
  file: string,
  taker: Taker,
  choice: KeyChoice | null,
  { dropUnsupported = false }: RestoreOptions,
  { redis }: Spec,
  signal: AbortSignal,
): Promise<PreparedRdb> {
  const { program: redisServer } = await findRedisServer(redis);
  const { databases } = taker;
  const scratch = { redisServer, workFolder: path.dirname(file), databases, loadModules: [], signal };
  const libraries = new LibraryCheck(scratch);
  const progress = new ProgressLine(output);
  const total = source.bytes === undefined ? '' : ` of ${describeSize(source.bytes)}`;
  try {
    const unloadable = new UnloadableList();
    const prepared = await prepareRdb(source.open(signal), file, taker, choice, {
      dropUnsupported,
      askLibrary: libraries.ask,
      onUnloadable: unloadable.add,
      onBytes: (bytes) => {
        signal.throwIfAborted();
        progress.show(() => `fetching and checking ${source.name}: ${describeSize(bytes)}${total}`);
      },
    });
    progress.done();
    unloadable.tell(output, taker.version);
    return prepared;
  } finally {
    progress.done();
    await libraries.stop();
  }
}

/** Serves the file to the primary, and has the agent do the rest. */
async function restoreAll(job: RestoreJob, outcome: RestoreOutcome): Promise<void> {
  const { output, target, options, source, facts, prepared, file, say, signal } = job;
  const { spec } = target;
  const secrets = await loadSecrets(spec, target.paths.secret);
  const { listen, reachedAt } = addressFor(spec, facts);
  const server = await SnapshotServer.start({
    file,
    credentials: { username: ownUserName('replication'), password: secrets.own.replication },
    tls: await readTls(spec.security.tls),
    address: listen,
  });
  try {
    const request = {
      ...{
        backup: source.name,
        from: { address: reachedAt, port: server.port, replicationId: server.replicationId },
      },
      ...{ bytes: prepared.bytes, keys: prepared.keys },
      ...{ replace: options.replace === true, safetyBackup: options.safetyBackup },
      ...(options.job === undefined ? {} : { job: options.job }),
    };
    await outcome.beforeAsking();
    signal.throwIfAborted();
    const result = (await target.agent.run('restore', request, say, signal)) as RestoreResult;
    tell(output, source, result);
  } finally {
    server.close();
  }
}

/** The primary of this host comes over loopback. */
function addressFor(spec: Spec, { local, host }: RestoreFacts): { listen: string; reachedAt: string } {
  const here = spec.hosts.find(({ id }) => id === host);
  if (local || here === undefined) return { listen: '127.0.0.1', reachedAt: '127.0.0.1' };
  return { listen: bindAddresses(here)[0] ?? here.address, reachedAt: here.address };
}

/** The members that have what was restored, and those that do not yet. Exported for its test. */
export function whoHasIt({
  primary,
  copies,
  behind,
}: Pick<RestoreResult, 'primary' | 'copies' | 'behind'>): string {
  if (behind.length === 0) return copies.length === 0 ? primary : `${primary} and its replicas`;
  const not = `${behind.join(' and ')} ${behind.length === 1 ? 'does' : 'do'} not have them yet`;
  return `${[primary, ...copies].join(' and ')} (${not})`;
}

function tell(output: Output, source: RestoreSource, result: RestoreResult): void {
  const { keysBefore, keysAfter, safetyBackup, heldMs, tookMs } = result;
  const { green, bold } = output.colors;
  output.line(
    `${green('✓')} ${bold(String(keysAfter))} keys from ${source.name} in ${whoHasIt(result)}; ${keysBefore} keys before`,
  );
  if (safetyBackup) output.line(`  what was there is in ${safetyBackup.id} in ${safetyBackup.store}`);
  output.line(
    `  writes were held for ${describeDuration(heldMs)}; all done after ${describeDuration(tookMs)}`,
  );
  output.data({ restored: source.name, whole: true, ...result });
}
