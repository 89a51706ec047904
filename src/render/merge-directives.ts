/**
 * Brings what the spec says into a redis.conf or sentinel.conf that Redis has rewritten since. The lines of every
 * directive that is rendered replace those that are there; everything else stays: what Redis learnt, such as whom
 * a member follows, and what people set by hand.
 */
import { settingName } from '../spec/setting-name.ts';

/** What Redis and Sentinel know better than the spec. */
const stateOfRedis = new Set(['replicaof']);
const stateOfSentinel = new Set([
  'sentinel monitor',
  'sentinel myid',
  'sentinel known-replica',
  'sentinel known-sentinel',
  'sentinel config-epoch',
  'sentinel leader-epoch',
  'sentinel current-epoch',
]);

export function mergeDirectives(existing: string, rendered: string): string {
  const wanted = new Map<string, string[]>();
  for (const line of directivesIn(rendered)) {
    const key = mergeKey(line);
    if (!stateOfRedis.has(key) && !stateOfSentinel.has(key))
      wanted.set(key, [...(wanted.get(key) ?? []), line]);
  }
  const written = new Set<string>();
  const lines: string[] = [];
  for (const line of existing.split('\n')) {
    const key = mergeKey(line);
    const replacement = wanted.get(key);
    if (replacement === undefined) lines.push(line);
    else if (!written.has(key)) lines.push(...replacement);
    written.add(key);
  }
  for (const [key, replacement] of wanted) if (!written.has(key)) lines.push(...replacement);
  return `${lines.join('\n').trimEnd()}\n`;
}

/** Said of one primary, of several that a Sentinel can watch: the third word is its name. */
const ofOnePrimary = new Set([
  'sentinel auth-user',
  'sentinel auth-pass',
  'sentinel down-after-milliseconds',
  'sentinel failover-timeout',
  'sentinel parallel-syncs',
]);

/** One for all names of a setting: of two lines with different names the last would count. */
function mergeKey(line: string): string {
  const key = directiveKey(line);
  if (ofOnePrimary.has(key)) return `${key} ${line.trim().split(/\s+/, 3)[2]}`;
  return key.startsWith('sentinel ') ? key : settingName(key);
}

/** The directives of a configuration file, without comments and empty lines. */
export function directivesIn(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
}

/** What a line sets: `maxmemory`, or for Sentinel `sentinel down-after-milliseconds`. */
export function directiveKey(line: string): string {
  const [first = '', second = ''] = line.trim().split(/\s+/, 2);
  const name = first.toLowerCase();
  return name === 'sentinel' ? `sentinel ${second.toLowerCase()}` : name;
}
