import type { Command } from 'commander';
import { backupListVerb } from './backup-list.ts';
import { backupNowVerb } from './backup-now.ts';
import { backupPruneVerb } from './backup-prune.ts';
import { backupVerifyVerb } from './backup-verify.ts';
import { verb } from './verb.ts';

/** `holdfast backup …`: docs/backups.md says what each promises. */
export function backupVerb(): Command {
  const group = verb('backup', 'take, list, verify and prune backups; restore brings one back', [
    ['holdfast backup now', 'take one now, from the fittest replica'],
    ['holdfast backup list', 'what there is, oldest first'],
    ['holdfast backup verify', 'prove the newest by restoring it into a scratch server'],
    ['holdfast backup prune --dry-run', 'what backup.keep would remove'],
  ]);
  for (const make of [backupNowVerb, backupListVerb, backupVerifyVerb, backupPruneVerb])
    group.addCommand(make());
  return group;
}
