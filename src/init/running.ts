/** What servers and Sentinels that run say of themselves, to what is there. Pure: `observe.ts` asks them. */

import type { Address } from '../redis/endpoint.ts';
import type { ServerFacts } from '../redis/server-facts.ts';
import { configValueOf } from '../spec/adopt.ts';
import { settingName } from '../spec/setting-name.ts';
import { chosen, type Engine } from './engine-defaults.ts';
import { type Found, type FoundUser, type Note, nothingFound, ofOneServer } from './found.ts';

/** A server that runs: what it says of itself, and how it is set. */
export interface RunningServer {
  address: Address;
  facts: ServerFacts;
  /** CONFIG GET *; null when it is refused, as managed services do. */
  config: Readonly<Record<string, string>> | null;
  /** ACL LIST; null when it is refused. */
  users: readonly string[] | null;
}

export interface SentinelFacts {
  name: string;
  /** Fields of SENTINEL MASTER, by its own names. */
  fields: Readonly<Record<string, string>>;
  sentinels: readonly Address[];
  hasPassword: boolean;
}

/** @param members the primary first. @param missing members that gave no answer. */
export function foundRunning(
  [primary, ...replicas]: readonly [RunningServer, ...RunningServer[]],
  missing: readonly Address[],
  sentinels: SentinelFacts | null,
  engine: Engine,
): Found {
  const { settings, notes } = settingsOf(primary, engine);
  const number = (field: string) => {
    const text = sentinels?.fields[field] ?? '';
    return /^\d{1,12}$/.test(text) ? Number(text) : null;
  };
  return {
    ...nothingFound,
    name: sentinels?.name ?? null,
    engine: primary.facts.product,
    members: [primary.address, ...replicas.map(({ address }) => address), ...missing],
    sentinels: sentinels?.sentinels ?? 0,
    settings,
    quorum: number('quorum'),
    downAfterMs: number('down-after-milliseconds'),
    failoverTimeoutMs: number('failover-timeout'),
    users: usersOf(primary),
    notes: [
      ...notes,
      ...missing.map(({ address, port }) => ({
        path: ['redis'],
        what: `the settings of ${address}:${port}`,
        why: 'it gave no answer, so that nobody knows whether they are those of the others',
      })),
      ...replicas.flatMap((each) => differences(primary, each)),
      ...sentinelNotes(sentinels),
      ...otherNotes(primary),
    ],
  };
}

function settingsOf({ config, facts }: RunningServer, engine: Engine) {
  const named = config ?? toldBy(facts);
  const all = Object.entries(named)
    // The older name only where the server has no other.
    .filter(([name]) => settingName(name) === name || named[settingName(name)] === undefined)
    .filter(([name]) => !ofOneServer.has(settingName(name)) || name.endsWith('port'))
    .map(([name, value]) => ({ name, value }));
  const kept = chosen(all, engine);
  const ports = all.filter(({ name }) => name === 'port' || name === 'tls-port');
  return {
    ...kept,
    settings: [...kept.settings.filter(({ name }) => !ports.some((each) => each.name === name)), ...ports],
  };
}

/** What INFO says of memory and persistence, in the words of CONFIG GET. */
function toldBy({ maxBytes, policy, hasAof }: ServerFacts): Readonly<Record<string, string>> {
  return {
    maxmemory: String(maxBytes),
    'maxmemory-policy': policy === '' ? 'noeviction' : policy,
    appendonly: hasAof ? 'yes' : 'no',
  };
}

/** `user app on #8b2c… ~* +@all` without its passwords. */
function usersOf({ users, config }: RunningServer): FoundUser[] {
  if (users === null) {
    const hasPassword = (config?.['requirepass'] ?? '') !== '';
    return hasPassword ? [{ name: 'default', rules: 'on ~* &* +@all' }] : [];
  }
  return users.map((line) => {
    const [, name = '', ...rules] = line.split(' ');
    return { name, rules: rules.filter((rule) => !/^[><#!]/.test(rule)).join(' ') };
  });
}

function differences(primary: RunningServer, replica: RunningServer): Note[] {
  const notes: Note[] = [];
  for (const [name, value] of Object.entries(replica.config ?? {})) {
    const other = primary.config?.[name];
    const plain = settingName(name);
    if (other === undefined || other === value || plain !== name || ofOneServer.has(plain)) continue;
    if (plain === 'replica-priority') continue;
    const what = `${name} ${JSON.stringify(configValueOf(name, value))} of ${where(replica.address)}`;
    notes.push({
      path: ['redis'],
      what,
      why: 'the spec has one value for all members, which is the primary’s',
    });
  }
  return notes;
}

function sentinelNotes(sentinels: SentinelFacts | null): Note[] {
  if (sentinels === null) return [];
  const path = ['sentinel'];
  const notes: Note[] = [];
  for (const script of ['notification-script', 'client-reconfig-script']) {
    if ((sentinels.fields[script] ?? '') === '') continue;
    const why = 'holdfast has no Sentinel run scripts: `holdfast events --follow` tells what happens';
    notes.push({ path, what: script, why });
  }
  if (sentinels.hasPassword) {
    notes.push({
      path,
      what: 'the password of the Sentinels',
      why: 'holdfast makes one, from security.secret',
    });
  }
  return notes;
}

function otherNotes({ config, users, facts: { modules, product, version } }: RunningServer): Note[] {
  const redis = ['redis'];
  const notes: Note[] = modules.map((name) => {
    const why = 'say redis.config.loadmodule with where it lies on the machines of the deployment';
    return { path: redis, what: `the module ${name}`, why };
  });
  if (config === null) {
    const why = 'the server refuses CONFIG GET, as managed services do: only what INFO tells is here';
    notes.push({ path: redis, what: 'most settings', why });
  }
  if (users === null) {
    const why = 'the server refuses ACL LIST: name them under security.users';
    notes.push({ path: ['security'], what: 'users', why });
  }
  if (config !== null && (config['masteruser'] ?? '') !== '') {
    const why = 'holdfast gives replication a user and a password of its own';
    notes.push({ path: ['security'], what: 'the user of the replication', why });
  }
  if (config?.['cluster-enabled'] === 'yes') {
    const why =
      'a deployment is one primary with replicas: `holdfast migrate` can bring several servers into one';
    notes.push({ path: redis, what: `Redis Cluster (${product} ${version})`, why });
  }
  return notes;
}

function where({ address, port }: Address): string {
  return `${address}:${port}`;
}
