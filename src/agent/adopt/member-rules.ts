/** What speaks against taking over one server, and what it would change there. Pure. */
import path from 'node:path';
import { bindAddresses } from '../../spec/bind.ts';
import { ownUserName } from '../../spec/secrets.ts';
import { settingName } from '../../spec/setting-name.ts';
import type { Host, Member, Spec } from '../../spec/spec.ts';
import { type DataKind, kindOf, kindOfSettings } from '../persistence/plan.ts';
import { fixedSettings } from '../settings/apply-settings.ts';
import {
  differentSettings,
  differentWhileTaken,
  type ServerSettings,
  type SettingDifference,
} from '../settings/compare-settings.ts';
import type { AdoptionFacts, RunningMember } from './facts.ts';
import type { Refusal } from './refusal.ts';
import { userRefusals } from './user-rules.ts';

export interface MemberHere {
  place: Member;
  running: RunningMember;
}

export function memberRefusals(
  spec: Spec,
  { place, running }: MemberHere,
  facts: AdoptionFacts,
  keepersOff: boolean,
): Refusal[] {
  const says = (what: string, fix: string): Refusal => ({ where: place.id, what, fix });
  const { settings, role } = running;
  const isHere = place.host === facts.host;
  const found: Refusal[] = isHere ? processRefusals(place.id, running, facts.uid, keepersOff) : [];
  if (role.role === 'sentinel') {
    return [
      says(
        `at ${place.address}:${place.port} is a Sentinel, and the spec has a member there`,
        'Correct redis.port or sentinel.port.',
      ),
    ];
  }
  if (running.loading) found.push(says('it is loading its data', 'Wait until it has.'));
  if (running.cluster)
    found.push(
      says('it is a node of a Redis Cluster', 'holdfast migrate brings a cluster into a deployment.'),
    );
  if (running.missing.length > 0) {
    const what = `it has no ${running.missing.join(', ')}: renamed, or taken away (rename-command)`;
    found.push(
      says(
        what,
        'Sentinels and holdfast need commands by their names; start it once without rename-command, or move the data in: holdfast migrate.',
      ),
    );
  }
  if (isHere) found.push(...engineRefusals(place.id, running, facts.engine));
  found.push(...secretRefusals(spec, place.id, running, facts.replicationDigest));
  const modules = running.modules.length > 0 && spec.redis.config['loadmodule'] === undefined;
  if (modules) {
    const what = `it has loaded ${running.modules.join(', ')}, and the spec loads no module`;
    found.push(
      says(
        what,
        'Say redis.config.loadmodule with where they lie: a replica without them can not take its data.',
      ),
    );
  }
  found.push(...storeRefusals(spec, place.id, running));
  const databases = [settings.config['databases'], facts.wanted.config['databases']];
  if (databases[0] !== databases[1]) {
    const fix = `Say redis.config.databases: ${databases[0]}.`;
    found.push(says(`it has ${databases[0]} databases, and by the spec it is to have ${databases[1]}`, fix));
  }
  return [...found, ...userRefusals(place.id, settings.users, facts.wanted.users)];
}

/** Of servers and Sentinels alike. */
export function processRefusals(
  where: string,
  { process, ours, openFile }: Pick<RunningMember, 'process' | 'ours' | 'openFile'>,
  uid: number,
  keepersOff: boolean,
): Refusal[] {
  if (ours) {
    return [
      {
        where,
        what: 'holdfast started it: it is taken over already',
        fix: 'holdfast up goes on with what runs.',
      },
    ];
  }
  if (process === null) return [];
  if (typeof process === 'string') {
    const fix =
      'adopt takes over processes of this machine only. On others: hosts in the spec, and adopt there. In containers: holdfast migrate.';
    return [{ where, what: process, fix }];
  }
  const found: Refusal[] = [];
  if (process.uid !== uid) {
    const what = `its process (pid ${process.pid}) belongs to ${process.user}, and holdfast runs as uid ${uid}`;
    found.push({
      where,
      what,
      fix: `Run holdfast as the user who owns the servers and their files: sudo -u ${process.user} holdfast adopt. Where hosts are reached by ssh, say runAs: ${process.user} in the spec.`,
    });
  }
  if (openFile !== null) {
    const what = `it writes its configuration to ${openFile}, where others can read it`;
    const fix = `Passwords of holdfast’s users will stand there: chmod o-x ${path.dirname(openFile)}`;
    found.push({ where, what, fix });
  }
  if (process.keeper !== null && !keepersOff) {
    const { what, letGo } = process.keeper;
    found.push({
      where,
      what: `it would be started again by ${what}`,
      fix: `Two must not start it. Have it let go, while the server runs on: ${letGo}.`,
    });
  }
  return found;
}

/** Passwords of one host would lock out those of another. One machine has one secret, and gives its own anew. */
function secretRefusals(
  { hosts }: Spec,
  where: string,
  { settings }: RunningMember,
  digest: string | null,
): Refusal[] {
  const user = ownUserName('replication');
  const there = settings.users.find((line) => line.startsWith(`user ${user} `));
  if (hosts.length === 1 || there === undefined) return [];
  if (digest !== null && there.split(' ').includes(digest)) return [];
  const what = `it has holdfast’s users already, with passwords of another secret than ${digest === null ? 'this host, which has none,' : 'that of this host'} would give it`;
  const fix =
    'Every host needs the same: security.secret in the spec, or the file `secret` of the state directory of the host that was taken over first, mode 0600. Users of an earlier try go away with ACL DELUSER.';
  return [{ where, what, fix }];
}

function engineRefusals(where: string, running: RunningMember, engine: AdoptionFacts['engine']): Refusal[] {
  const runs = `${running.product} ${running.version}`;
  const ours = `${engine.product} ${engine.version}`;
  const [major = 0, minor = 0] = running.version.split('.').map(Number);
  const older = engine.major < major || (engine.major === major && engine.minor < minor);
  if (running.product === engine.product && !older) return [];
  const fix =
    'Name the program that it runs with redis.binary: an older or another engine can not read its files.';
  return [{ where, what: `it is ${runs}, and would be started again as ${ours}`, fix }];
}

/** What holdfast's members call the files that they load, and a running server does not change. */
const usualFiles: Record<DataKind, Record<string, string>> = {
  none: {},
  rdb: { dbfilename: 'dump.rdb' },
  aof: { appendfilename: 'appendonly.aof', appenddirname: 'appendonlydir' },
};

function storeRefusals(
  { redis }: Spec,
  where: string,
  { settings, folder, folderProblem, inTheWay }: RunningMember,
): Refusal[] {
  const { config } = settings;
  const found: Refusal[] = [];
  if (folderProblem !== null) {
    const fix = 'Run holdfast as the user who owns the servers and their files.';
    found.push({ where, what: `its data folder ${folder} can't be used from here: ${folderProblem}`, fix });
  }
  if (inTheWay !== null) {
    const what = `${inTheWay} has files in it, and its data lies in ${folder}`;
    const fix = 'It would start with those files the next time: move them away.';
    found.push({ where, what, fix });
  }
  const runs = kindOfSettings({ appendonly: config['appendonly'] === 'yes', save: config['save'] ?? '' });
  for (const [name, usual] of Object.entries(usualFiles[runs])) {
    const value = config[name];
    if (value === undefined || value === usual) continue;
    const fix = `holdfast looks for ${usual} in the same folder when it starts the server. Move the data in instead: holdfast migrate.`;
    found.push({ where, what: `it has ${name} ${value}`, fix });
  }
  const wanted = kindOf(redis.persistence);
  if (runs !== wanted) {
    const fix = `Say redis.persistence as it is now; when it is taken over, holdfast apply changes it.`;
    found.push({ where, what: `it keeps its data as ${runs}, and by the spec it is ${wanted}`, fix });
  }
  return found;
}

/** With replicas that follow only later, it would refuse every write. */
const afterReplicas = new Set(['min-replicas-to-write', 'min-slaves-to-write']);

/** Set while it runs, before anything is started beside it. */
export function settingsNow({ settings }: RunningMember, wanted: ServerSettings): SettingDifference[] {
  return differentWhileTaken(settings.config, wanted).filter(
    ({ name }) => !fixedSettings.has(name) && !afterReplicas.has(name),
  );
}

/** How it was started says nothing of how holdfast starts it. */
const howStarted = new Set(['daemonize', 'supervised', 'always-show-logo', 'set-proc-title']);

/** As the spec has it from the next start on. */
export function settingsWaiting({ settings }: RunningMember, wanted: ServerSettings): SettingDifference[] {
  const isTls = (name: string) => name.startsWith('tls-');
  return [
    ...differentWhileTaken(settings.config, wanted).filter(
      ({ name }) => fixedSettings.has(name) && !howStarted.has(name),
    ),
    ...differentSettings(settings.config, wanted).filter(({ name }) => isTls(name)),
  ];
}

export function warningsOf(spec: Spec, { place, running }: MemberHere): string[] {
  const { config } = running.settings;
  const host = spec.hosts.find(({ id }) => id === place.host) as Host;
  const now = (config['bind'] ?? '').split(' ').map((each) => each.replace(/^-/, ''));
  const then = bindAddresses(host).map((each) => (each === '0.0.0.0' || each === '::' ? '*' : each));
  const lost = then.includes('*')
    ? []
    : now.filter((each) => each !== '' && each !== '::1' && !then.includes(each));
  const warnings: string[] = [];
  if (lost.length > 0 || config['bind'] === '') {
    const listens = config['bind'] === '' ? 'everywhere' : now.join(' ');
    warnings.push(
      `${place.id} listens on ${listens}; from its next start on it listens on ${then.join(' ')}. Clients elsewhere need hosts with an address in the spec`,
    );
  }
  const other = config[spec.security.tls === null ? 'tls-port' : 'port'] ?? '0';
  if (other !== '0' && other !== '') {
    const how = spec.security.tls === null ? 'for TLS' : 'without TLS';
    warnings.push(
      `${place.id} listens on port ${other} ${how} as well, until its next start: clients of that port go elsewhere before`,
    );
  }
  const priority = Object.entries(config).find(([name]) => settingName(name) === 'replica-priority')?.[1];
  if (priority !== undefined && priority !== '100' && priority !== '0') {
    warnings.push(
      `${place.id} has replica-priority ${priority}; holdfast knows 100 and 0 (never primary) only`,
    );
  }
  return warnings;
}
