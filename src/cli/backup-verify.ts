import os from 'node:os';
import type { Command } from 'commander';
import { findRedisServer } from '../agent/server-program.ts';
import { describeAhead, newestOf } from '../backup/dates.ts';
import { BackupNotFound } from '../backup/errors.ts';
import { surveyStore } from '../backup/list.ts';
import { type Manifest, readManifest } from '../backup/manifest.ts';
import { modulesOf, verifyBackup } from '../backup/verify-backup.ts';
import { describeDuration } from '../base/duration.ts';
import { makeFolder } from '../base/make-folder.ts';
import { type BackupTarget, openBackupTarget } from './backup-target.ts';
import { readIdentities } from './identities.ts';
import { interruptible } from './interrupt.ts';
import type { Output } from './output.ts';
import { tellBackups } from './tell-backups.ts';
import { action, type CommonOptions, stateDirOption, verb } from './verb.ts';

interface VerifyOptions extends CommonOptions {
  stateDir?: string;
  identity?: string;
  workDir?: string;
}

export function backupVerifyVerb(): Command {
  return verb('verify', 'prove a backup by restoring it into a scratch server; exit 3 when it is not good', [
    ['holdfast backup verify', 'the newest'],
    ['holdfast backup verify redis_2026-01-27T200000Z', 'this one'],
    [
      'holdfast backup verify latest prod.yaml --work-dir /mnt/big',
      'where there is room for two copies of it',
    ],
  ])
    .argument('[backup]', 'an id of backup list, or latest', 'latest')
    .argument('[spec]', 'the spec file', 'holdfast.yaml')
    .option('--identity <file>', 'age identities that open an encrypted backup')
    .option('--work-dir <dir>', 'a folder with room for two copies of the RDB, instead of the temporary one')
    .addOption(stateDirOption())
    .action(
      action<VerifyOptions>(
        (output, [wanted = '', file = ''], options) =>
          interruptible((signal) => verify(output, wanted, file, options, signal)),
        'any-host',
      ),
    );
}

async function verify(
  output: Output,
  wanted: string,
  file: string,
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<number> {
  const target = await openBackupTarget('verify', file, options);
  const manifest = await chosen(output, target, wanted);
  const workFolder = options.workDir ?? os.tmpdir();
  await makeFolder(workFolder, 0o700);
  const { program } = await findRedisServer(target.spec.redis);
  const verdict = await verifyBackup({
    ...{ store: target.store, manifest, workFolder, signal },
    keys: { identities: readIdentities(options.identity) },
    redisServer: program,
    loadModules: modulesOf(target.spec),
    report: (step) => output.note(`  ${output.colors.dim(step)}`),
  });
  output.data(verdict);
  const isNotGood = `${manifest.id} is NOT good: ${verdict.problems.join('; ')}`.slice(0, 4000);
  await tellBackups(output, target.agent, verdict.good ? {} : { notGood: isNotGood });
  const { green, red, bold } = output.colors;
  if (verdict.good) {
    output.line(
      `${green('✓')} ${bold(manifest.id)} is good: ${verdict.keys} keys, as the manifest says, by ${verdict.serverVersion} in ${describeDuration(verdict.tookMs)}`,
    );
    return 0;
  }
  output.line(`${red('✗')} ${bold(manifest.id)} is NOT good:`);
  for (const problem of verdict.problems) output.line(`  ${problem}`);
  output.note(
    'Use another backup (holdfast backup list), and look at the disk or the store that this one lies in.',
  );
  return 3;
}

async function chosen(output: Output, { store, spec }: BackupTarget, wanted: string): Promise<Manifest> {
  if (wanted !== 'latest') return readManifest(store, wanted);
  const { backups, broken } = await surveyStore(store);
  const nowMs = Date.now();
  const { newest, ahead } = newestOf(
    backups.filter(({ deployment }) => deployment === spec.name),
    nowMs,
  );
  const latest = newest ?? ahead.at(-1);
  for (const backup of ahead) output.note(describeAhead(backup, nowMs));
  for (const { id, why } of broken) {
    if (latest === undefined || id > latest.id) output.note(`${id} is newer and can't be used: ${why}`);
  }
  if (latest) return latest;
  throw BackupNotFound(`there is no backup of ${spec.name} in ${store.url}`, {
    hint: 'holdfast backup now takes one.',
  });
}
