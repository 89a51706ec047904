/** The agent's share of `restore`: what the command line asks for, and the events that tell of it. */

import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Manifest } from '../../backup/manifest.ts';
import { describeDuration } from '../../base/duration.ts';
import { takeByWorker } from '../backups/backup-worker.ts';
import type { ChangeContext, Report } from '../change/change-context.ts';
import type { Deployment } from '../deployment.ts';
import { calmPrimary, primaryFacts } from './restore-checks.ts';
import {
  asRestoreFailed,
  type RestoreRequest,
  type RestoreResult,
  restoreWhole,
  type SafetyBackup,
} from './run-restore.ts';

/** With `facts` it only answers what the data must fit. */
export async function carryOutRestore(
  change: ChangeContext,
  request: RestoreRequest | { facts: true },
): Promise<unknown> {
  const { deployment, report } = change;
  if ('facts' in request) {
    const facts = async () => primaryFacts(await calmPrimary(change), deployment.setting.host);
    return facts().catch((error) => {
      throw asRestoreFailed(error, null);
    });
  }
  const { events, spec } = deployment;
  const warn = (text: string) => {
    report(`warning: ${text}`);
    events.add('restore', spec.name, `warning: ${text}`);
  };
  const takeSafetyBackup = (say: Report, stop: AbortSignal) => safetyBackup(deployment, say, stop);
  events.add('restore', spec.name, `restoring ${request.backup}: ${request.keys} keys`);
  const result = await restoreWhole({ ...change, warn, takeSafetyBackup }, request);
  events.add('restored', result.primary, describe(request, result));
  return result;
}

function describe({ backup }: RestoreRequest, result: RestoreResult): string {
  const { primary, keysBefore, keysAfter, safetyBackup: safety, heldMs } = result;
  const before = safety
    ? `${keysBefore} keys before, which are in ${safety.id} in ${safety.store}`
    : `${keysBefore} keys before`;
  return `${primary} has ${keysAfter} keys from ${backup}; ${before}; writes were held for ${describeDuration(heldMs)}`;
}

/** Where the spec names no store, it goes to the state directory of this host. */
async function safetyBackup(
  deployment: Deployment,
  report: Report,
  signal: AbortSignal,
): Promise<SafetyBackup> {
  const { spec, setting } = deployment;
  const { backup } = spec;
  const folder = pathToFileURL(path.join(setting.paths.root, 'before-restore')).href;
  const store = backup ? { url: backup.to, options: backup.s3 } : { url: folder, options: {} };
  const manifest = (await takeByWorker(
    {
      ...{ task: 'take', spec, secretFile: setting.paths.secret, store, reason: 'before-restore' },
      compression: backup?.compression ?? 'none',
      recipients: backup?.recipients ?? [],
      holder: `a restore on host ${setting.host}`,
    },
    report,
    signal,
  )) as Manifest;
  return { id: manifest.id, store: store.url, replicationOffset: manifest.replicationOffset };
}
