/** What the backup verbs begin with. They need no agent: members and store are spoken to directly. */
import { existsSync } from 'node:fs';
import os from 'node:os';
import type { AgentClient } from '../agent/api/agent-client.ts';
import type { StatePaths } from '../agent/state/paths.ts';
import { openStore } from '../backup/open-store.ts';
import type { BackupStore } from '../backup/store.ts';
import { defineError } from '../base/errors.ts';
import type { TlsTexts } from '../redis/endpoint.ts';
import { readTls } from '../redis/tls.ts';
import { loadSecrets, type Secrets } from '../spec/secrets.ts';
import type { Backup, Spec } from '../spec/spec.ts';
import { openTarget, type TargetOptions } from './target.ts';

const NoBackupSection = defineError('BACKUP_NOT_CONFIGURED', 2);
const NoSecret = defineError('BACKUP_SECRET_MISSING', 2);

export interface BackupTarget {
  spec: Spec;
  paths: StatePaths;
  agent: AgentClient;
  backup: Backup;
  store: BackupStore;
  /** How others who are refused see us: `backup now on host db-1 (pid 4711)`. */
  holder: string;
  /** The deployment's passwords and certificates. @throws BACKUP_SECRET_MISSING where there are none. */
  logIn(): Promise<{ secrets: Secrets; tls: TlsTexts | undefined }>;
}

/** @throws BACKUP_NOT_CONFIGURED when the spec has no `backup`. */
export async function openBackupTarget(
  verb: string,
  file: string,
  options: TargetOptions,
): Promise<BackupTarget> {
  const { spec, paths, agent } = await openTarget(file, options);
  const { backup } = spec;
  if (backup === null) {
    throw NoBackupSection(`${file} does not say where backups go`, {
      hint: 'Add backup: { to: s3://bucket/prefix } or backup: { to: file:///folder } to it.',
    });
  }
  return {
    spec,
    paths,
    agent,
    backup,
    store: await openStore(backup.to, backup.s3),
    holder: `backup ${verb} on ${os.hostname()} (pid ${process.pid})`,
    logIn: async () => {
      // A secret that is made here would be nobody's: no member knows its passwords.
      if (spec.security.secret === null && !existsSync(paths.secret)) {
        throw NoSecret(
          `there is no secret of ${spec.name} in ${paths.root}, so no member can be logged in to`,
          {
            hint: 'Run it on a host of the deployment, as the user that runs holdfast up, or name its --state-dir.',
          },
        );
      }
      return { secrets: await loadSecrets(spec, paths.secret), tls: await readTls(spec.security.tls) };
    },
  };
}
