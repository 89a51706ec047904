import type { Command } from 'commander';
import { isAhead, startedMs } from '../backup/dates.ts';
import { surveyStore } from '../backup/list.ts';
import type { Manifest } from '../backup/manifest.ts';
import { readVerified, type Verified } from '../backup/verified.ts';
import { describeDuration } from '../base/duration.ts';
import { describeSize } from '../base/size.ts';
import { openBackupTarget } from './backup-target.ts';
import { table } from './table.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface ListOptions extends CommonOptions {
  stateDir?: string;
  all?: boolean;
}

export function backupListVerb(): Command {
  return verb('list', 'the backups that can be restored, oldest first; exit 3 when one is broken', [
    ['holdfast backup list', 'of this deployment'],
    ['holdfast backup list --all', 'of every deployment that uses the store'],
    ['holdfast backup list --json | jq -r ".[-1].id"', 'the newest'],
  ])
    .argument(...specArgument)
    .option('--all', 'backups of other deployments in the same store, too')
    .addOption(stateDirOption())
    .action(
      action<ListOptions>(async (output, [file = ''], options) => {
        const { spec, store } = await openBackupTarget('list', file, options);
        const { backups, broken } = await surveyStore(store);
        const { verdicts, unreadable } = await readVerified(store);
        const shown = backups
          .filter(({ deployment }) => options.all || deployment === spec.name)
          .map((manifest) => ({ ...manifest, verified: verdicts.get(manifest.id) ?? null }));
        if (shown.length === 0) output.line(`no backups of ${spec.name} in ${store.url}`);
        else
          for (const line of table([heading, ...shown.map((each) => row(each, Date.now()))]))
            output.line(line);
        output.data(shown);
        const others = backups.length - shown.length;
        if (others > 0) output.note(`${others} of other deployments are not shown (--all)`);
        const faults = [...broken, ...unreadable];
        for (const { id, why } of faults) output.note(`${output.colors.red('broken:')} ${id}: ${why}`);
        return faults.length > 0 ? 3 : 0;
      }, 'any-host'),
    );
}

/** With what the last verification found; null when there was none. */
type Listed = Manifest & { verified: Verified | null };

const heading = ['BACKUP', 'DEPLOYMENT', 'AGE', 'KEYS', 'RDB', 'STORED', 'PACKED', 'FROM', 'WHY', 'VERIFIED'];

function row(backup: Listed, nowMs: number): string[] {
  const packed = [backup.compression, backup.encryption].filter((each) => each !== 'none');
  return [
    backup.id,
    backup.deployment,
    describeAge(startedMs(backup), nowMs),
    String(backup.keys),
    describeSize(backup.rdb.bytes),
    describeSize(backup.stored.bytes),
    packed.join('+') || '-',
    `${backup.source.member} (${backup.source.role})`,
    backup.reason,
    describeVerdict(backup.verified, nowMs),
  ];
}

function describeAge(atMs: number, nowMs: number): string {
  if (isAhead(atMs, nowMs)) return `${describeDuration(atMs - nowMs)} AHEAD of now`;
  return describeDuration(Math.max(0, nowMs - atMs));
}

function describeVerdict(verified: Verified | null, nowMs: number): string {
  if (verified === null) return '-';
  const ago = `${describeDuration(Math.max(0, nowMs - Date.parse(verified.at)))} ago`;
  return verified.good ? ago : `NOT GOOD, ${ago}`;
}
