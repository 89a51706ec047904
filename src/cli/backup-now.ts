import type { Command } from 'commander';
import { findSource } from '../backup/find-source.ts';
import type { Manifest } from '../backup/manifest.ts';
import { type TakeProgress, takeBackup } from '../backup/take.ts';
import { describeDuration } from '../base/duration.ts';
import { describeSize } from '../base/size.ts';
import type { Spec } from '../spec/spec.ts';
import { type BackupTarget, openBackupTarget } from './backup-target.ts';
import { BadOption } from './errors.ts';
import { interruptible } from './interrupt.ts';
import type { Output } from './output.ts';
import { ProgressLine } from './progress-line.ts';
import { tellBackups } from './tell-backups.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface NowOptions extends CommonOptions {
  stateDir?: string;
  from?: string;
}

export function backupNowVerb(): Command {
  return verb('now', 'take a backup now; it is verified while it streams', [
    ['holdfast backup now', 'from the fittest replica'],
    ['holdfast backup now --from redis-2 prod.yaml', 'from this member'],
    ['holdfast backup now --from primary --json', 'from the primary, which forks for it'],
  ])
    .argument(...specArgument)
    .option('--from <whom>', 'replica, prefer-replica, primary, or a member, instead of backup.from')
    .addOption(stateDirOption())
    .action(
      action<NowOptions>(async (output, [file = ''], options) => {
        const target = await openBackupTarget('now', file, options);
        const manifest = await interruptible((signal) => takeNow(output, target, options, signal));
        output.line(describe(manifest));
        await tellBackups(output, target.agent, { taken: `took ${describe(manifest)}` });
        output.data(manifest);
      }, 'any-host'),
    );
}

async function takeNow(
  output: Output,
  { spec, backup, store, holder, logIn }: BackupTarget,
  options: NowOptions,
  signal: AbortSignal,
): Promise<Manifest> {
  const wish = options.from ?? backup.from;
  checkWish(spec, wish);
  const { secrets, tls } = await logIn();
  const { source, reason } = await findSource(spec, secrets, tls, wish);
  output.note(`from ${source.member} (${source.address}:${source.port}): ${reason}`);
  const progress = new ProgressLine(output);
  const startedMs = performance.now();
  try {
    return await takeBackup({
      deployment: spec.name,
      source,
      store,
      reason: 'manual',
      compression: backup.compression,
      recipients: backup.recipients,
      holder,
      signal,
      report: (now) => progress.show(() => progressText(now, performance.now() - startedMs)),
      note: (text) => {
        progress.done();
        output.note(text);
      },
    });
  } finally {
    progress.done();
  }
}

function checkWish(spec: Spec, wish: string): void {
  const members = spec.members.map(({ id }) => id);
  const words = ['replica', 'prefer-replica', 'primary', ...members];
  if (words.includes(wish)) return;
  throw BadOption(`--from ${wish} names no member`, { hint: `Say one of ${words.join(', ')}.` });
}

function progressText({ step, rdbBytes, keys }: TakeProgress, tookMs: number): string {
  if (step === 'waiting') return 'backup: waiting for the server to save';
  const rate = `${describeSize((rdbBytes / Math.max(tookMs, 1)) * 1000)}/s`;
  const what = step === 'finishing' ? 'backup: verified, waiting for the store' : 'backup: streaming';
  return [what, describeSize(rdbBytes), `${keys} keys`, rate].join('  ');
}

function describe({ id, keys, rdb, stored, source, durationMs, compression, encryption }: Manifest): string {
  const packed = [compression, encryption].filter((each) => each !== 'none');
  const size =
    packed.length === 0
      ? describeSize(rdb.bytes)
      : `${describeSize(rdb.bytes)}, stored as ${describeSize(stored.bytes)} (${packed.join(', ')})`;
  return `${id}: ${keys} keys, ${size}, from ${source.member} (${source.role}), verified, in ${describeDuration(durationMs)}`;
}
