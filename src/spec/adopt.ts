/**
 * Takes what servers run with into the text of a spec: values are put where the spec has its own keys for them, and under
 * redis.config otherwise. Comments and layout of the file stay.
 */
import { isMap, isScalar, parseDocument } from 'yaml';
import { errorText } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import { splitRules } from './hello-channel.ts';
import { parseSpec } from './parse.ts';
import { managedBecause } from './rules/directives.ts';
import { passwordAdvice } from './rules/passwords.ts';
import { settingName } from './setting-name.ts';

export interface RunningSetting {
  kind: 'setting' | 'user';
  /** A directive of redis.conf, or an ACL user. */
  name: string;
  /** As the server says it; of a user its rules, without passwords. */
  running: string;
}

export interface Adopted {
  text: string;
  /** What was written, as `redis.config.hash-max-listpack-entries: 64`. */
  adopted: string[];
  /** What can't be, one sentence each. */
  left: string[];
}

type Place = { path: string[]; value: unknown };

/**
 * The same, without the settings for which the spec would be refused: each of those is left, with why. Some are refused alone
 * and accepted beside another. @param file the spec's, for paths in it
 */
export function adoptAccepted(text: string, settings: readonly RunningSetting[], file: string): Adopted {
  const tried = (some: readonly RunningSetting[]) => {
    const found = adoptSettings(text, some);
    try {
      parseSpec(found.text, file);
      return { found, why: null };
    } catch (error) {
      return { found, why: errorText(error) };
    }
  };
  const all = tried(settings);
  if (all.why === null) return all.found;
  let kept: readonly RunningSetting[] = [];
  let rest = settings;
  let refused: string[] = [];
  for (let before = -1; before !== kept.length; ) {
    before = kept.length;
    refused = [];
    rest = rest.filter((each) => {
      const { why } = tried([...kept, each]);
      if (why === null) kept = [...kept, each];
      // Where in a text that nobody has would only mislead.
      else refused.push(`${each.name} can't be in the spec: ${why.replace(/^\S*:\d+:\d+: /, '')}`);
      return why !== null;
    });
  }
  const found = adoptSettings(text, kept);
  return { ...found, left: [...found.left, ...refused] };
}

export function adoptSettings(text: string, settings: readonly RunningSetting[]): Adopted {
  const document = parseDocument(text);
  const adopted: string[] = [];
  const left: string[] = [];
  const users = new Set(Object.keys((document.toJS() as SpecLike)?.security?.users ?? {}));
  const config = Object.keys((document.toJS() as SpecLike)?.redis?.config ?? {});
  for (const setting of settings) {
    const found = setting.kind === 'user' ? userPlace(setting, users) : placeOf(setting, settings, config);
    if (typeof found === 'string') left.push(found);
    else if (found !== null) {
      const { path, value } = found;
      for (let depth = 1; depth < path.length; depth++) {
        const above = path.slice(0, depth);
        if (!isMap(document.getIn(above))) document.setIn(above, document.createNode({}));
      }
      const there = document.getIn(path, true);
      if (value === undefined) document.deleteIn(path);
      // The comment behind a value stays with its node.
      else if (isScalar(there) && typeof value !== 'object') there.value = value;
      else document.setIn(path, document.createNode(value));
      adopted.push(`${path.join('.')}: ${value === undefined ? 'none' : JSON.stringify(value)}`);
    }
  }
  return { text: document.toString({ lineWidth: 0 }), adopted, left };
}

interface SpecLike {
  redis?: { config?: Record<string, unknown> };
  security?: { users?: Record<string, unknown> };
}

/** @returns where it goes; a sentence when nowhere; null when it is said with another setting. */
function placeOf(
  { name, running }: RunningSetting,
  all: readonly RunningSetting[],
  config: readonly string[],
): Place | string | null {
  switch (name) {
    case 'maxmemory':
      return {
        path: ['redis', 'maxMemory'],
        value: running === '0' ? undefined : formatSize(Number(running)),
      };
    case 'maxmemory-policy':
      return { path: ['redis', 'maxMemoryPolicy'], value: running };
    case 'save':
      return { path: ['redis', 'save'], value: savePairs(running) };
    case 'min-replicas-to-write':
      return { path: ['redis', 'minReplicasToWrite'], value: Number(running) };
    case 'min-replicas-max-lag':
      return { path: ['redis', 'minReplicasMaxLag'], value: `${running}s` };
    case 'appendfsync':
      if (all.some((each) => each.name === 'appendonly')) return null;
      return running === 'no'
        ? 'appendfsync no is not in the spec: redis.persistence is aof-everysec or aof-always'
        : { path: ['redis', 'persistence'], value: `aof-${running}` };
    case 'appendonly':
      return 'appendonly is not taken over: change redis.persistence in the spec, and apply writes the data anew';
  }
  const instead = passwordAdvice(name);
  if (instead !== undefined) return `${name} can't be in the spec: ${instead}`;
  const reason = managedBecause(name);
  if (reason !== undefined) return `${name} can't be in the spec: ${reason}`;
  const key = config.find((each) => settingName(each) === settingName(name)) ?? name;
  return { path: ['redis', 'config', key], value: configValueOf(name, running) };
}

/** What CONFIG GET says of a directive, as redis.config has it. */
export function configValueOf(name: string, running: string): string | number | string[] {
  return name === 'client-output-buffer-limit' ? bufferLimits(running) : asWritten(name, running);
}

/** Directives that take several words; to all others what has a space is one word, in quotes. */
const takesWords = new Set([
  'latency-tracking-info-percentiles',
  'oom-score-adj-values',
  'shutdown-on-sigint',
  'shutdown-on-sigterm',
]);

/** As redis.conf writes what a server says. */
function asWritten(name: string, running: string): string | number {
  if (/^-?\d{1,15}$/.test(running)) return Number(running);
  if (takesWords.has(name) || !/[\s"'#\\]/.test(running)) return running;
  return `"${running.replace(/["\\]/g, '\\$&')}"`;
}

function userPlace({ name, running }: RunningSetting, users: ReadonlySet<string>): Place | string {
  if (!users.has(name)) {
    return `the user ${name} is not in the spec: name it under security.users, with where its password is`;
  }
  const rules = specRules(running);
  if (rules.off) return `the user ${name} is switched off: take it out of security.users`;
  if (rules.nopass) return `the user ${name} has no password, which the spec does not allow`;
  return { path: ['security', 'users', name, 'acl'], value: rules.acl };
}

/** What ACL LIST says of a user, without passwords, as the spec's `acl`; `off` also for one that may do nothing. */
export function specRules(running: string): { acl: string; off: boolean; nopass: boolean } {
  const words = ownRules(running);
  return {
    acl: words.filter((word) => word !== '-@all').join(' '),
    off: words.includes('off') || words.length === 0,
    nopass: words.includes('nopass'),
  };
}

/** Without what ACL LIST says of everyone, and without what keeps users out of the Sentinels' channel. */
function ownRules(running: string): string[] {
  const { root, selectors } = splitRules(running);
  const made = /^(resetchannels|-@all|\+s?publish|&.*)$/;
  const own = selectors.filter((words) => !words.every((word) => made.test(word)));
  const saidOfAll = ['sanitize-payload', 'resetchannels', 'on'];
  if (own.length < selectors.length) saidOfAll.push('-publish', '-spublish');
  const words = root.filter((word) => !saidOfAll.includes(word));
  return [...words, ...own.map((each) => `(${each.join(' ')})`)];
}

/** `3600 1 300 100` as the spec's list. */
export function savePairs(text: string): string[] {
  const words = text.split(' ').filter((word) => word !== '');
  return words.flatMap((word, i) => (i % 2 === 0 ? [`${word} ${words[i + 1]}`] : []));
}

/** `normal 0 0 0 slave 1 2 3 pubsub …`, one class a line. */
function bufferLimits(text: string): string[] {
  const words = text.split(' ');
  return words.flatMap((word, i) =>
    i % 4 === 0 ? [[word === 'slave' ? 'replica' : word, ...words.slice(i + 1, i + 4)].join(' ')] : [],
  );
}
