/** The section `redis` of a spec, from settings in the words of CONFIG GET. */
import { formatSize, parseSize } from '../base/size.ts';
import { configValueOf, savePairs } from '../spec/adopt.ts';
import { managedBecause } from '../spec/rules/directives.ts';
import { passwordAdvice } from '../spec/rules/passwords.ts';
import type { SpecFile } from '../spec/schema.ts';
import { settingName } from '../spec/setting-name.ts';
import type { FoundSetting, Note } from './found.ts';

type RedisFile = NonNullable<SpecFile['redis']>;

/** Keys of the spec say these. */
const ownKeys = new Set([
  ...['maxmemory', 'maxmemory-policy', 'save', 'appendonly', 'appendfsync'],
  ...['min-replicas-to-write', 'min-replicas-max-lag'],
]);
/** Where a server is and whom it follows: hosts, ports and the Sentinels say that. */
const elsewhere = new Set([
  ...['port', 'bind', 'replicaof', 'replica-announce-ip', 'replica-announce-port', 'protected-mode'],
  ...['tls-port', 'tls-cert-file', 'tls-key-file', 'tls-ca-cert-file', 'tls-replication'],
]);
const policies = [
  ...(['noeviction', 'allkeys-lru', 'allkeys-lfu', 'allkeys-random'] as const),
  ...(['volatile-lru', 'volatile-lfu', 'volatile-random', 'volatile-ttl'] as const),
];

export function redisSection(
  settings: readonly FoundSetting[],
  members: number,
): { redis: RedisFile; notes: Note[] } {
  const notes: Note[] = [];
  const by = new Map(settings.map(({ name, value }) => [settingName(name), value]));
  const redis: RedisFile = {
    ...memoryOf(by, notes),
    ...persistenceOf(by, notes),
    ...replicasOf(by, members, notes),
  };
  const config: [string, string | number | string[]][] = [];
  for (const [name, value] of by) {
    if (ownKeys.has(name) || elsewhere.has(name)) continue;
    const why =
      passwordAdvice(name) ??
      managedBecause(name) ??
      (name.startsWith('tls-') ? 'security.tls sets it' : null);
    if (why === null && !/[\r\n\0]/.test(value)) config.push([name, configValueOf(name, value)]);
    else {
      // What holds a password is named without it.
      const what = passwordAdvice(name) === undefined ? `${name} ${value === '' ? '""' : value}` : name;
      notes.push({ path: ['redis'], what, why: why ?? 'a directive is one line' });
    }
  }
  if (config.length > 0) redis.config = Object.fromEntries(config.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { redis, notes };
}

type Settings = ReadonlyMap<string, string>;

function memoryOf(by: Settings, notes: Note[]): RedisFile {
  const found: RedisFile = {};
  const bytes = parseSize(by.get('maxmemory') ?? '0') ?? 0;
  const leastBytes = 2 ** 20;
  if (bytes >= leastBytes) found.maxMemory = formatSize(bytes);
  else if (bytes > 0) {
    notes.push({ path: ['redis'], what: `maxmemory ${bytes}`, why: 'redis.maxMemory is at least 1mb' });
  }
  const policy = by.get('maxmemory-policy') ?? 'noeviction';
  const known = policies.find((each) => each === policy);
  if (known !== undefined) found.maxMemoryPolicy = known;
  else {
    const why = 'the spec knows no such policy, and this server may be the only one that does';
    notes.push({ path: ['redis'], what: `maxmemory-policy ${policy}`, why });
  }
  return found;
}

/** Redis has an AOF and save points apart; the spec has one word for both, and save points with it. */
function persistenceOf(by: Settings, notes: Note[]): RedisFile {
  const points = savePairs(by.get('save') ?? '3600 1 300 100 60 10000');
  const save = points.filter((each) => /^[1-9]\d{0,8} \d{1,9}$/.test(each));
  for (const each of points.filter((point) => !save.includes(point))) {
    notes.push({
      path: ['redis', 'save'],
      what: `save ${each}`,
      why: 'it is no pair of seconds and changes',
    });
  }
  if (by.get('appendonly') !== 'yes') {
    return save.length === 0 ? { persistence: 'none' } : { persistence: 'rdb', save };
  }
  const fsync = by.get('appendfsync') ?? 'everysec';
  if (fsync === 'no') {
    const why =
      'redis.persistence is aof-everysec or aof-always: a crash of the machine costs a second at most';
    notes.push({ path: ['redis', 'persistence'], what: 'appendfsync no', why });
  }
  return { persistence: fsync === 'always' ? 'aof-always' : 'aof-everysec', save };
}

function replicasOf(by: Settings, members: number, notes: Note[]): RedisFile {
  const wanted = wholeOf(by, 'min-replicas-to-write', 0, notes);
  const most = Math.min(members - 1, 49);
  const least = Math.max(0, Math.min(wanted, most));
  if (least !== wanted) {
    const why = `with ${members} of them a primary would never take a write`;
    notes.push({ path: ['redis', 'minReplicasToWrite'], what: `min-replicas-to-write ${wanted}`, why });
  }
  const lag = wholeOf(by, 'min-replicas-max-lag', 10, notes);
  if (least === 0) return { minReplicasToWrite: 0 };
  const seconds = Math.min(3600, Math.max(2, lag));
  if (seconds !== lag) {
    const why = 'redis.minReplicasMaxLag is from 2s to 1h: replicas report once a second';
    notes.push({ path: ['redis', 'minReplicasMaxLag'], what: `min-replicas-max-lag ${lag}`, why });
  }
  return { minReplicasToWrite: least, minReplicasMaxLag: `${seconds}s` };
}

function wholeOf(by: Settings, name: string, usual: number, notes: Note[]): number {
  const text = by.get(name) ?? String(usual);
  if (/^\d{1,9}$/.test(text)) return Number(text);
  notes.push({ path: ['redis'], what: `${name} ${text}`, why: 'it is no whole number' });
  return usual;
}
