/** `restore` of some keys, beside those that are there, while the deployment serves. */
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { openStore } from '../backup/open-store.ts';
import { type RestoreKeysResult, restoreKeys } from '../backup/restore-keys.ts';
import type { KeyChoice } from '../backup/restore-taker.ts';
import { sourceForAgent, takeForAgent } from '../backup/take-for-agent.ts';
import { systemClock } from '../base/clock.ts';
import { readTls } from '../redis/tls.ts';
import { loadSecrets, ownUserName } from '../spec/secrets.ts';
import type { Member } from '../spec/spec.ts';
import { BadOption } from './errors.ts';
import { chosenKeys } from './rdb-filter.ts';
import type { RestoreJob, RestoreOptions } from './restore-job.ts';

/** What the options choose; null for everything. @throws BAD_OPTION */
export async function choiceOf({ match, db, prefix }: RestoreOptions): Promise<KeyChoice | null> {
  if (match === undefined && db === undefined && prefix === undefined) return null;
  const moves = new Map<number, number>();
  const chosen = db?.map((text) => {
    const parts = /^(\d+)(?:=(\d+))?$/.exec(text);
    if (!parts)
      throw BadOption(`--db: '${text}' is no database`, {
        hint: 'Say numbers from 0, or 0=3 to put the keys of 0 into 3.',
      });
    if (parts[2] !== undefined) moves.set(Number(parts[1]), Number(parts[2]));
    return parts[1] as string;
  });
  const test = await chosenKeys({
    ...(match === undefined ? {} : { match }),
    ...(chosen === undefined ? {} : { db: chosen }),
    expired: 'drop',
  });
  return { test, moves, prefix: prefix ?? '' };
}

export async function restoreSomeKeys(job: RestoreJob): Promise<void> {
  const { output, target, options, source, facts, taker, prepared, file, say, signal } = job;
  const { spec, paths } = target;
  const place = spec.members.find(({ id }) => id === facts.primary) as Member;
  const secrets = await loadSecrets(spec, paths.secret);
  const tls = await readTls(spec.security.tls);
  const credentials = { username: ownUserName('restore'), password: secrets.own.restore };
  let safety: { id: string; store: string } | null = null;
  const beforeReplacing = async (conflicts: number) => {
    say(`keys that are there with other values and will be replaced: ${conflicts}`);
    if (options.safetyBackup) safety = await backUpFirst(job);
  };
  const { address, port } = place;
  const result = await restoreKeys({
    ...{ file, target: taker.target, address, port, tls, credentials, replace: options.replace === true },
    ...{ beforeReplacing, report: say, signal },
  });
  tell(job, result, safety);
  output.data({
    ...{ restored: source.name, whole: false, primary: facts.primary, keysChosen: prepared.keys },
    ...{ keysRead: prepared.keysRead, safetyBackup: safety, ...result },
  });
}

function tell(
  { output, source, facts, prepared }: RestoreJob,
  { restored, same, replaced, expired }: RestoreKeysResult,
  safety: { id: string; store: string } | null,
): void {
  const { green, bold } = output.colors;
  const parts = [
    replaced > 0 ? `${replaced} replaced` : '',
    same > 0 ? `${same} were there already` : '',
    expired > 0 ? `${expired} have expired` : '',
  ].filter((part) => part !== '');
  const rest = parts.length > 0 ? `; ${parts.join(', ')}` : '';
  output.line(
    `${green('✓')} ${bold(String(restored))} keys of ${prepared.keysRead} from ${source.name} brought back into ${facts.primary}${rest}`,
  );
  if (safety) output.line(`  what was there before is in ${safety.id} in ${safety.store}`);
}

async function backUpFirst({ target, say, signal }: RestoreJob): Promise<{ id: string; store: string }> {
  const { spec, paths } = target;
  const { backup } = spec;
  const folder = pathToFileURL(path.join(paths.root, 'before-restore')).href;
  const store = backup ? await openStore(backup.to, backup.s3) : await openStore(folder);
  const take = {
    ...({ spec, secretFile: paths.secret, wish: 'prefer-replica', reason: 'before-restore' } as const),
    holder: `restore on ${os.hostname()} (pid ${process.pid})`,
    compression: backup?.compression ?? 'none',
    recipients: backup?.recipients ?? [],
  };
  const context = { store, clock: systemClock, signal, report: say };
  const { id } = await takeForAgent(take, await sourceForAgent(take), context);
  return { id, store: store.url };
}
