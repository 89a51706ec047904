/** redis.conf and sentinel.conf, as people write them and as Redis and Sentinel rewrite them, to what runs by them. */
import { parseSize } from '../base/size.ts';
import { type Address, addressOf } from '../redis/endpoint.ts';
import { redisWords } from '../render/redis-quote.ts';
import { settingName } from '../spec/setting-name.ts';
import { chosen, type Engine, isSetting } from './engine-defaults.ts';
import {
  type Found,
  type FoundSetting,
  type FoundUser,
  type Note,
  nothingFound,
  ofOneServer,
} from './found.ts';
import { noConfiguration } from './no-configuration.ts';

export interface ConfFile {
  /** For messages. */
  file: string;
  text: string;
}

interface Line {
  name: string;
  words: string[];
  lineNumber: number;
}

export function isSentinelConf(text: string): boolean {
  return /^\s*sentinel\s+monitor\s/im.test(text);
}

/**
 * @param confs redis.conf of each server, the primary's first, or none; and one sentinel.conf, or none.
 * @throws INIT_SOURCE_UNKNOWN for what is neither
 */
export function foundInConfs(confs: readonly ConfFile[], engine: Engine): Found {
  const sentinelConf = confs.find(({ text }) => isSentinelConf(text));
  const parsed = confs
    .filter((conf) => conf !== sentinelConf)
    .map((conf) => ({ conf, ...linesOf(conf) }))
    .toSorted((a, b) => Number(follows(a.lines)) - Number(follows(b.lines)));
  for (const { conf, lines } of parsed) {
    if (lines.some(({ name }) => isSetting(name, engine))) continue;
    const what = lines.length === 0 ? 'says nothing' : `has no line that ${engine.name} knows`;
    throw noConfiguration(`${conf.file} ${what}, and no 'sentinel monitor'`);
  }
  const [first, ...others] = parsed;
  const notes: Note[] = parsed.flatMap(({ notes: found }) => found);
  const base: Found = { ...nothingFound, members: Math.max(1, parsed.length) };
  const ofServers = first === undefined ? base : { ...base, ...ofRedisConf(first.lines, engine, notes) };
  for (const other of others) notes.push(...differences(first?.lines ?? [], other.lines, other.conf.file));
  if (sentinelConf === undefined) return { ...ofServers, notes };
  const ofSentinel = ofSentinelConf(sentinelConf, notes);
  return { ...ofServers, ...ofSentinel, notes };
}

function linesOf({ file, text }: ConfFile): { lines: Line[]; notes: Note[] } {
  const lines: Line[] = [];
  const notes: Note[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const plain = line.trim();
    if (plain === '' || plain.startsWith('#')) continue;
    const [name, ...words] = redisWords(plain) ?? [];
    if (name === undefined) {
      notes.push({
        path: ['redis'],
        what: `line ${index + 1} of ${file}`,
        why: 'a quote in it is not closed',
      });
    } else lines.push({ name: name.toLowerCase(), words, lineNumber: index + 1 });
  }
  return { lines, notes };
}

function follows(lines: readonly Line[]): boolean {
  return lines.some(
    ({ name, words }) => settingName(name) === 'replicaof' && words[0]?.toLowerCase() !== 'no',
  );
}

/** Several lines of these are one setting in the words of CONFIG GET. */
const joined = new Set(['save', 'client-output-buffer-limit', 'loadmodule']);
const apart = new Set(['user', 'rename-command', 'include', 'requirepass']);

/** Lines as CONFIG GET would tell them: the last one counts, but for those that add up. */
export function settingsOf(lines: readonly { name: string; words: readonly string[] }[]): FoundSetting[] {
  const found = new Map<string, string>();
  for (const { name, words } of lines) {
    if (apart.has(name)) continue;
    const before = joined.has(name) ? found.get(name) : undefined;
    const value = words.join(' ');
    const resets = name === 'save' && value === '';
    found.set(name, before === undefined || before === '' || resets ? value : `${before} ${value}`);
  }
  return [...found].map(([name, value]) => ({ name, value: inBytes(name, value) }));
}

/** Where the word is a size, as the server says it. */
function inBytes(name: string, value: string): string {
  if (name !== 'maxmemory') return value;
  return String(parseSize(value) ?? value);
}

function ofRedisConf(lines: readonly Line[], engine: Engine, notes: Note[]): Partial<Found> {
  const named = (wanted: string) => lines.filter(({ name }) => settingName(name) === wanted);
  for (const { words } of named('include')) {
    const why = 'name that file to init as well: what it sets is not known';
    notes.push({ path: ['redis'], what: `include ${words.join(' ')}`, why });
  }
  if (named('loadmodule').length > 0) {
    const paths = named('loadmodule').map(({ words }) => words.join(' '));
    const why = 'say redis.config.loadmodule with where the module lies on the machines of the deployment';
    for (const each of paths) notes.push({ path: ['redis'], what: `loadmodule ${each}`, why });
  }
  const { settings, notes: unknown } = chosen(
    settingsOf(lines.filter(({ name }) => name !== 'loadmodule')),
    engine,
  );
  notes.push(...unknown);
  const port = Number(named('port').at(-1)?.words[0] ?? 6379) || Number(named('tls-port').at(-1)?.words[0]);
  const { forbidden, renamed } = renames(named('rename-command'));
  notes.push(...renamed);
  return {
    settings,
    redisPort: Number.isInteger(port) && port > 0 ? port : null,
    forbidden,
    users: usersOf(lines),
  };
}

/** A command that is renamed to nothing is one that nobody may call. */
export function renames(lines: readonly { words: readonly string[] }[]): {
  forbidden: string[];
  renamed: Note[];
} {
  const forbidden: string[] = [];
  const renamed: Note[] = [];
  for (const { words } of lines) {
    const [from = '', to = ''] = words;
    if (to === '' && /^[a-z.]+$/i.test(from)) forbidden.push(from);
    else {
      const why = 'Sentinels and agents need the commands by their names; restrict users with `acl` instead';
      renamed.push({ path: ['redis'], what: `rename-command ${from}`, why });
    }
  }
  return { forbidden, renamed };
}

function usersOf(lines: readonly Line[]): FoundUser[] {
  const users = new Map<string, string>();
  for (const { name, words } of lines) {
    const [user = '', ...rules] = words;
    // Passwords stay out: in a rule they begin with one of these.
    if (name === 'user') users.set(user, rules.filter((rule) => !/^[><#!]/.test(rule)).join(' '));
  }
  const hasPassword = lines.some(({ name, words }) => name === 'requirepass' && (words[0] ?? '') !== '');
  if (hasPassword) users.set('default', 'on ~* &* +@all');
  return [...users].map(([name, rules]) => ({ name, rules }));
}

/** Settings that another server has otherwise. Where a server is and whom it follows differs always. */
function differences(first: readonly Line[], other: readonly Line[], file: string): Note[] {
  const usual = new Map(settingsOf(first).map(({ name, value }) => [settingName(name), value]));
  return settingsOf(other)
    .filter(
      ({ name, value }) => !ofOneServer.has(settingName(name)) && usual.get(settingName(name)) !== value,
    )
    .map(({ name, value }) => ({
      path: ['redis'],
      what: `${name} ${value} in ${file}`,
      why: 'the spec has one value for all members, and this one is otherwise in the first file',
    }));
}

function ofSentinelConf({ file, text }: ConfFile, notes: Note[]): Partial<Found> {
  const { lines, notes: broken } = linesOf({ file, text });
  notes.push(...broken);
  const about = lines.filter(({ name }) => name === 'sentinel').map(({ words }) => words);
  const monitors = about.filter(([what]) => what?.toLowerCase() === 'monitor');
  const [, name = '', address, port, quorum] = monitors[0] ?? [];
  for (const [, other] of monitors.slice(1)) {
    const why = 'a spec is one deployment: write another for it';
    notes.push({ path: ['name'], what: `the Sentinels also watch ${other}`, why });
  }
  const of = (what: string) =>
    about
      .filter(([found, whose]) => found?.toLowerCase() === what && whose === name)
      .map((words) => words.slice(2));
  const number = (what: string) => numberOf(of(what).at(-1)?.[0]);
  const primary = addressOf(address, port);
  const replicas = [...of('known-replica'), ...of('known-slave')].flatMap(
    ([ip, at]) => addressOf(ip, at) ?? [],
  );
  const peers = of('known-sentinel').flatMap(([ip, at]) => addressOf(ip, at) ?? []);
  const own = ownAddress(lines, about, primary);
  for (const what of ['notification-script', 'client-reconfig-script']) {
    if (of(what).length === 0) continue;
    notes.push({
      path: ['sentinel'],
      what,
      why: 'holdfast has no Sentinel run scripts: `holdfast events --follow` tells what happens',
    });
  }
  if (lines.some(({ name: each }) => each === 'requirepass')) {
    notes.push({
      path: ['sentinel'],
      what: 'the password of the Sentinels',
      why: 'holdfast makes one, from security.secret',
    });
  }
  return {
    name,
    // Without a replica it was written by hand, and Sentinel has not run with it yet.
    ...(primary === undefined || replicas.length === 0 ? {} : { members: unique([primary, ...replicas]) }),
    ...(peers.length === 0 || own === undefined
      ? { sentinels: peers.length + 1 }
      : { sentinels: unique([own, ...peers]) }),
    sentinelPort: own?.port ?? numberOf(lines.findLast(({ name: each }) => each === 'port')?.words[0]),
    quorum: numberOf(quorum),
    downAfterMs: number('down-after-milliseconds'),
    failoverTimeoutMs: number('failover-timeout'),
  };
}

/** Where this Sentinel is: what it announces, or the first address that it listens on. */
function ownAddress(
  lines: readonly Line[],
  about: readonly string[][],
  primary?: Address,
): Address | undefined {
  const announced = (what: string) => about.find(([found]) => found?.toLowerCase() === what)?.[1];
  const last = (wanted: string) => lines.findLast(({ name }) => name === wanted)?.words[0];
  const bound = last('bind')?.replace(/^-/, '');
  const isPlace = bound !== undefined && !['0.0.0.0', '::', '*', '::*'].includes(bound);
  const isLocal = primary !== undefined && /^127\.|^::1$/.test(primary.address);
  const host = announced('announce-ip') ?? (isPlace ? bound : isLocal ? primary.address : undefined);
  return addressOf(host, announced('announce-port') ?? last('port') ?? last('tls-port') ?? '26379');
}

function numberOf(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : null;
}

export function unique(places: readonly Address[]): Address[] {
  const seen = new Map(places.map((place) => [`${place.address.toLowerCase()} ${place.port}`, place]));
  return [...seen.values()];
}
