/**
 * Writes redis.conf, users.acl and sentinel.conf before a cold start. Once a server has started with them they are
 * state, which Redis and Sentinel rewrite: they are never written whole again. What the spec says now is brought
 * into them, and, when the newest data is not where the Sentinels' files say, who is primary.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { readFileIfThere, writeFileAtomic, writeFileIfNew } from '../../base/atomic-file.ts';
import { makeFolder } from '../../base/make-folder.ts';
import { directiveKey, directivesIn, mergeDirectives } from '../../render/merge-directives.ts';
import { renderRedisConf } from '../../render/redis-conf.ts';
import { redisWords } from '../../render/redis-quote.ts';
import { renderSentinelConf } from '../../render/sentinel-conf.ts';
import { renderUsersAcl } from '../../render/users-acl.ts';
import { settingName } from '../../spec/setting-name.ts';
import type { Member, Place, Spec } from '../../spec/spec.ts';
import { isUsableEpoch } from '../../topology/election/epoch.ts';
import type { Deployment, LiveMember, LiveSentinel, Setting } from '../deployment.ts';
import { noteChange } from '../persistence/load-what-counts.ts';
import { isAbout, isSoundSentinelConf, monitoredIn } from './sentinel-file.ts';
import { sentinelRunIds } from './sentinel-ids.ts';
import type { Unit } from './unit.ts';

/** True when no member of this host has ever been configured. */
export async function isFirstStart({ members }: Deployment): Promise<boolean> {
  for (const { unit } of members) {
    if (unit && (await readFileIfThere(unit.paths.config)) !== undefined) return false;
  }
  return true;
}

/**
 * @param patienceMs how long the Sentinels wait for the primary at least, whatever the spec says
 * @param only these; all of this host when it is left out
 */
export async function writeConfigs(
  deployment: Deployment,
  primary: Member,
  patienceMs: number,
  only?: ReadonlySet<string>,
): Promise<void> {
  const { members, sentinels, setting } = deployment;
  const { spec, secrets } = setting;
  const isMeant = ({ id }: Place) => only === undefined || only.has(id);
  const ofMember = async ({ place, unit }: LiveMember) => {
    if (!unit || !isMeant(place)) return;
    const follows = place.id === primary.id ? null : primary;
    await noteChange(unit.paths, spec.redis, setting.clock.wallMs());
    await writeOrMerge(unit.paths.config, memberConfText(setting, { place, unit }, follows));
    await writeUsers(setting, unit);
  };
  const ofSentinel = async ({ place, unit }: LiveSentinel) => {
    if (!unit || !isMeant(place)) return;
    const paths = sentinelConfPaths(unit);
    const runIdOf = sentinelRunIds(deployment);
    const input = { spec: patientSpec(spec, patienceMs), sentinel: place, paths, secrets, primary, runIdOf };
    const isSound = (existing: string) => isSoundSentinelConf(existing, spec.name);
    await writeOrMerge(unit.paths.config, renderSentinelConf(input), { stale: isUser, isSound });
  };
  // Each waits for the disk, and none for another.
  await Promise.all([...members.map(ofMember), ...sentinels.map(ofSentinel)]);
}

/** Redis never writes this one: it is ours. */
async function writeUsers(
  { spec, secrets, aclSelectors: selectors }: Setting,
  { paths }: Unit,
): Promise<void> {
  await writeFileIfNew(paths.aclFile, renderUsersAcl({ spec, secrets, selectors }));
}

/**
 * Where a process is, and how it gets in elsewhere. Somebody may have changed that while it ran, and CONFIG REWRITE has written it
 * down: of a moved data folder it writes where that is now. Not `dbfilename`, which says where its data is.
 */
const ownDirectives = new Set([
  ...[
    'dir',
    'logfile',
    'aclfile',
    'port',
    'tls-port',
    'bind',
    'unixsocket',
    'unixsocketperm',
    'daemonize',
    'supervised',
  ],
  ...['masteruser', 'masterauth', 'replica-announce-ip', 'replica-announce-port'],
]);

/** Puts these right in the redis.conf that is there. All else is left as Redis wrote it: only a cold start brings the spec in. */
export async function putOwnDirectivesRight(
  setting: Setting,
  member: { place: Member; unit: Unit },
): Promise<void> {
  const { config } = member.unit.paths;
  const existing = await readFileIfThere(config);
  if (existing === undefined) return;
  const there = wordsByKey(existing);
  const wrong = [...wordsByKey(memberConfText(setting, member, null))].filter(
    ([key, { words }]) => ownDirectives.has(key) && there.get(key)?.words !== words,
  );
  if (wrong.length > 0)
    await writeFileAtomic(config, mergeDirectives(existing, wrong.map(([, { line }]) => line).join('\n')));
}

/** Of each directive the line that counts, which is the last, and what it says, however it is quoted. */
function wordsByKey(text: string): Map<string, { line: string; words: string }> {
  return new Map(
    directivesIn(text).map((line) => {
      return [settingName(directiveKey(line)), { line, words: JSON.stringify(redisWords(line)) }];
    }),
  );
}

/**
 * What a start needs beside data, and finds gone: somebody moved or deleted it while the member ran. Whether it may start without
 * the data was decided before. @returns what was made anew, in words; null when all was there.
 */
export async function makeWhatIsGone(
  setting: Setting,
  member: { place: Member; unit: Unit },
  primary: Member | null,
): Promise<string | null> {
  const { paths } = member.unit;
  const made: string[] = [];
  if ((await makeFolder(paths.dataDir, 0o700)) !== undefined) made.push(`its data folder ${paths.dataDir}`);
  if (!existsSync(paths.config)) {
    await writeFileIfNew(paths.config, memberConfText(setting, member, primary));
    made.push('its redis.conf');
  }
  if (!existsSync(paths.aclFile)) {
    await writeUsers(setting, member.unit);
    made.push('its users');
  }
  return made.length === 0 ? null : made.join(', ');
}

export function sentinelConfPaths({ paths }: Unit): { dir: string; logFile: string } {
  return { dir: paths.folder, logFile: paths.log };
}

function patientSpec(spec: Spec, patienceMs: number): Spec {
  const detectAfterMs = Math.max(spec.sentinel.detectAfterMs, patienceMs);
  return { ...spec, sentinel: { ...spec.sentinel, detectAfterMs } };
}

/** redis.conf of a member of this host, as the spec has it. */
export function memberConfText(
  { spec, secrets }: Setting,
  { place, unit }: { place: Member; unit: Unit | null },
  primary: Member | null,
): string {
  const { dataDir, log, socket, aclFile } = (unit as Unit).paths;
  const paths = { dataDir, logFile: log, unixSocket: socket, aclFile };
  return renderRedisConf({ spec, member: place, paths, secrets, primary });
}

/** Whom this host's sentinel.conf files name, by the highest epoch; null when there are none. */
export async function namedInFiles(deployment: Deployment): Promise<string | null> {
  let best: { id: string; epoch: number } | null = null;
  for (const { unit } of deployment.sentinels) {
    const text = unit ? await readFileIfThere(unit.paths.config) : undefined;
    if (text === undefined) continue;
    const member = deployment.memberAt(monitoredIn(text, deployment.spec.name));
    const epoch = epochIn(text);
    if (member && (best === null || epoch > best.epoch)) best = { id: member.place.id, epoch };
  }
  return best?.id ?? null;
}

/**
 * Makes this host's sentinel.conf files name a primary, at an epoch above all that they have seen. When all of them name it
 * and know everyone else, they are left as they are.
 */
export async function nameInFiles(deployment: Deployment, primary: Member): Promise<void> {
  const { sentinels, spec } = deployment;
  const texts = new Map<string, string>();
  for (const { unit } of sentinels)
    if (unit) texts.set(unit.paths.config, await readFile(unit.paths.config, 'utf8'));
  const { name } = spec;
  const isKnown = (line: string) => isAbout(line, /^known-(replica|slave|sentinel)$/i, name);
  const monitor = `sentinel monitor ${spec.name} ${primary.address} ${primary.port} ${spec.sentinel.quorum}`;
  const isRight = ([file, text]: [string, string]) => {
    const lines = text.split('\n');
    const known = lines.filter(isKnown);
    const wanted = new Set(knownTo(deployment, primary, file));
    return lines.includes(monitor) && known.length === wanted.size && known.every((line) => wanted.has(line));
  };
  if ([...texts].every(isRight)) return;
  const epoch = Math.max(0, ...[...texts.values()].map(epochIn)) + 1;
  const write = async ([file, text]: [string, string]) => {
    const kept = text.split('\n').filter((line) => !isKnown(line));
    const changed = kept.map((line) => {
      if (isAbout(line, /^monitor$/i, name)) return monitor;
      if (isAbout(line, /^(config|leader)-epoch$/i, name)) return line.replace(/\d+\s*$/, String(epoch));
      return line.replace(/^(sentinel current-epoch) \d+/, `$1 ${epoch}`);
    });
    const known = knownTo(deployment, primary, file);
    await writeFileAtomic(file, `${[...changed, ...known].join('\n').trimEnd()}\n`);
  };
  await Promise.all([...texts].map(write));
}

/** The lines of a sentinel.conf about everyone whom this Sentinel is to know beside the primary. */
function knownTo(deployment: Deployment, primary: Member, file: string): string[] {
  const { members, sentinels, spec } = deployment;
  const { name } = spec;
  const runIdOf = sentinelRunIds(deployment);
  const replicas = members.filter(({ place }) => place.id !== primary.id);
  const others = sentinels.filter(({ unit }) => unit?.paths.config !== file);
  return [
    ...replicas.map(({ place }) => `sentinel known-replica ${name} ${place.address} ${place.port}`),
    ...others.map(
      ({ place: { id, address, port } }) =>
        `sentinel known-sentinel ${name} ${address} ${port} ${runIdOf(id)}`,
    ),
  ];
}

function epochIn(sentinelConf: string): number {
  const epochs = [...sentinelConf.matchAll(/^sentinel (?:config-epoch \S+|current-epoch) (\d+)/gm)];
  return Math.max(0, ...epochs.map((match) => Number(match[1])).filter(isUsableEpoch));
}

/** Of a file that is there: which lines go, and whether it is worth keeping. */
interface Existing {
  stale?: RegExp;
  isSound?: (text: string) => boolean;
}

/** A first file is written whole; into one that Redis has rewritten since, only what the spec says is brought. */
async function writeOrMerge(
  file: string,
  rendered: string,
  { stale, isSound }: Existing = {},
): Promise<void> {
  const existing = await readFileIfThere(file);
  const isKept = existing !== undefined && isSound?.(existing) !== false;
  const kept = isKept ? existing.split('\n').filter((line) => stale?.test(line) !== true) : [];
  await writeFileIfNew(file, isKept ? mergeDirectives(kept.join('\n'), rendered) : rendered);
}

/** A Sentinel whose password was changed while it ran has written its user, which counts more than requirepass. */
const isUser = /^user default /;
