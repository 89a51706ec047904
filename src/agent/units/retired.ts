/**
 * What runs on this host and is not in the spec any more, because it was taken out or moved to another host: it is stopped
 * when an agent starts with the new spec, and its folder is put aside. A member that is still primary is left running:
 * without it nobody could write.
 */
import { existsSync, readdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import path from 'node:path';
import { readFileIfThere } from '../../base/atomic-file.ts';
import { makeFolder } from '../../base/make-folder.ts';
import { OutputOwners } from '../../process/output-owners.ts';
import { addressOf } from '../../redis/endpoint.ts';
import { readTls } from '../../redis/tls.ts';
import { ownUserName } from '../../spec/secrets.ts';
import type { Deployment, Setting } from '../deployment.ts';
import { MemberWatch } from '../observe/member-watch.ts';
import { valueIn } from '../persistence/data-files.ts';
import type { UnitPaths } from '../state/paths.ts';
import { endpointHere } from '../state/taken-over.ts';
import { Unit } from './unit.ts';

const stopMs = 120_000;
const answersMs = 1000;

export async function stopRetired(
  { setting, units, events }: Deployment,
  report: (line: string) => void,
): Promise<void> {
  const { paths, clock } = setting;
  const kinds: [folder: string, pathsOf: (id: string) => UnitPaths][] = [
    ['gates', paths.gate],
    ['sentinels', paths.sentinel],
    ['members', paths.member],
  ];
  const owners = new OutputOwners();
  for (const [kind, pathsOf] of kinds) {
    for (const id of idsIn(path.join(paths.root, kind))) {
      if (units.some((unit) => unit.id === id)) continue;
      const unit = new Unit(id, pathsOf(id), clock);
      if (!(await unit.adopt(owners))) continue;
      if (kind === 'members' && (await isPrimary(setting, unit))) {
        const text = `${id} is not in the spec of this host any more, and is primary: it was left running`;
        report(`warning: ${text}`);
        events.add('hint', id, text);
        continue;
      }
      await unit.stop(stopMs);
      const aside = path.join(paths.root, 'retired');
      await makeFolder(aside, 0o700);
      const folder = path.join(aside, `${id}-${clock.wallMs()}`);
      await rename(unit.paths.folder, folder);
      const text = `${id} is not in the spec of this host any more: it was stopped, its files are in ${folder}`;
      report(text);
      events.add('retired', id, text);
    }
  }
}

function idsIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

async function isPrimary({ spec, secrets, clock }: Setting, { paths }: Unit): Promise<boolean> {
  const credentials = { username: ownUserName('agent'), password: secrets.own.agent };
  const tls = await readTls(spec.security.tls);
  // Where it listens the spec does not say any more.
  const conf = (await readFileIfThere(paths.config)) ?? '';
  const place = addressOf(valueIn(conf, 'replica-announce-ip'), valueIn(conf, 'replica-announce-port'));
  const endpoint = endpointHere(paths, place);
  const watch = new MemberWatch({ endpoint, credentials, timeoutMs: answersMs, tls }, clock);
  try {
    await watch.look();
    return watch.seen.reachable && watch.seen.role === 'primary';
  } finally {
    watch.client.close();
  }
}
