/**
 * Writes redis.conf, users.acl and sentinel.conf where there is none yet. Once a server has started with them they
 * are state, which Redis and Sentinel rewrite, and are left alone but for one case: a cold start whose newest data
 * is not where the Sentinels' files say.
 */
import { chmod, readFile } from 'node:fs/promises';
import { readFileIfThere, writeFileAtomic } from '../base/atomic-file.ts';
import { renderRedisConf } from '../render/redis-conf.ts';
import { renderSentinelConf } from '../render/sentinel-conf.ts';
import { renderUsersAcl } from '../render/users-acl.ts';
import type { Member } from '../spec/spec.ts';
import type { Deployment } from './deployment.ts';

/** True when no member of this host has ever been configured. */
export async function isFirstStart({ members }: Deployment): Promise<boolean> {
  for (const { part } of members) {
    if (part && (await readFileIfThere(part.paths.config)) !== undefined) return false;
  }
  return true;
}

export async function writeMissingConfigs(deployment: Deployment, primary: Member): Promise<void> {
  const { members, sentinels, setting } = deployment;
  const { spec, secrets } = setting;
  for (const { place, part } of members) {
    if (!part) continue;
    const { config, aclFile, dataDir, log, socket } = part.paths;
    const paths = { dataDir, logFile: log, unixSocket: socket, aclFile };
    const follows = place.id === primary.id ? null : primary;
    await writeOnce(config, renderRedisConf({ spec, member: place, paths, secrets, primary: follows }));
    await writeOnce(aclFile, renderUsersAcl({ spec, secrets }));
  }
  for (const { place, part } of sentinels) {
    if (!part) continue;
    const paths = { dir: part.paths.folder, logFile: part.paths.log };
    await writeOnce(part.paths.config, renderSentinelConf({ spec, sentinel: place, paths, secrets, primary }));
  }
}

/** Whom this host's sentinel.conf files name, by the highest epoch; null when there are none. */
export async function namedInFiles(deployment: Deployment): Promise<string | null> {
  let best: { id: string; epoch: number } | null = null;
  for (const { part } of deployment.sentinels) {
    const text = part ? await readFileIfThere(part.paths.config) : undefined;
    if (text === undefined) continue;
    const monitor = /^sentinel monitor \S+ (\S+) (\d+)/m.exec(text);
    const member = monitor && deployment.memberAt({ address: monitor[1] ?? '', port: Number(monitor[2]) });
    const epoch = epochIn(text);
    if (member && (best === null || epoch > best.epoch)) best = { id: member.place.id, epoch };
  }
  return best?.id ?? null;
}

/** Makes this host's sentinel.conf files name another primary, at an epoch above all that they have seen. */
export async function nameInFiles(deployment: Deployment, primary: Member): Promise<void> {
  const { sentinels, spec, members } = deployment;
  const texts = new Map<string, string>();
  for (const { part } of sentinels) if (part) texts.set(part.paths.config, await readFile(part.paths.config, 'utf8'));
  const epoch = Math.max(0, ...[...texts.values()].map(epochIn)) + 1;
  const { name } = spec;
  const replicas = members.filter(({ place }) => place.id !== primary.id);
  for (const [file, text] of texts) {
    const kept = text.split('\n').filter((line) => !line.startsWith(`sentinel known-replica ${name} `));
    const changed = kept.map((line) =>
      line
        .replace(/^(sentinel monitor \S+) \S+ \d+/, `$1 ${primary.address} ${primary.port}`)
        .replace(/^(sentinel (?:config-epoch|leader-epoch) \S+) \d+/, `$1 ${epoch}`)
        .replace(/^(sentinel current-epoch) \d+/, `$1 ${epoch}`),
    );
    const known = replicas.map(({ place }) => `sentinel known-replica ${name} ${place.address} ${place.port}`);
    await writeFileAtomic(file, `${[...changed, ...known].join('\n').trimEnd()}\n`);
  }
}

function epochIn(sentinelConf: string): number {
  const epochs = [...sentinelConf.matchAll(/^sentinel (?:config-epoch \S+|current-epoch) (\d+)/gm)];
  return Math.max(0, ...epochs.map((match) => Number(match[1])));
}

async function writeOnce(file: string, text: string): Promise<void> {
  if ((await readFileIfThere(file)) === undefined) await writeFileAtomic(file, text);
  else await chmod(file, 0o600);
}
