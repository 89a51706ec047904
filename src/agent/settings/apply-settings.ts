/** Brings one running member to the settings and users that it should have. */
import { readFile } from 'node:fs/promises';
import { readFileIfThere, writeFileAtomic } from '../../base/atomic-file.ts';
import { isSetAtStartOnly } from '../../redis/config-refusal.ts';
import { directiveKey, directivesIn, mergeDirectives } from '../../render/merge-directives.ts';
import { renderUsersAcl } from '../../render/users-acl.ts';
import { ownUserName } from '../../spec/secrets.ts';
import type { LiveMember, Setting } from '../deployment.ts';
import { ApplyRefused } from '../errors.ts';
import { runningKind } from '../persistence/change-persistence.ts';
import { kindOf } from '../persistence/plan.ts';
import { runsAsTaken } from '../state/taken-over.ts';
import { memberConfText } from '../units/configure.ts';
import {
  differentSettings,
  differentUsers,
  differentWhileTaken,
  type ServerSettings,
  type SettingDifference,
  type UserDifference,
} from './compare-settings.ts';
import { readSettings } from './expected-settings.ts';

export interface SettingChange {
  what: string;
  from: string;
  to: string;
  takes: 'now' | 'restart';
}

/** Immutable in Redis 7.0 (config.c, IMMUTABLE_CONFIG) among what a spec may plausibly set. */
export const fixedSettings = new Set([
  ...['databases', 'io-threads', 'io-threads-do-reads', 'appendfilename', 'appenddirname', 'tcp-backlog'],
  ...['daemonize', 'supervised', 'always-show-logo', 'enable-debug-command', 'enable-protected-configs'],
  ...['enable-module-command', 'syslog-enabled', 'cluster-enabled', 'set-proc-title', 'rdb-del-sync-files'],
]);

/** Follow when the data has been written anew. */
const ofPersistence = new Set(['appendonly', 'save', 'appendfsync']);

/**
 * @param told what it was told until now, by its name: asked again after it did not answer, the rest is done with that too
 * @returns all that it was told
 */
export async function applySettings(
  next: Setting,
  { unit, place, watch }: LiveMember,
  wanted: ServerSettings,
  dryRun: boolean,
  told: Map<string, SettingChange>,
): Promise<SettingChange[]> {
  if (!unit?.process.running) return [];
  const asTaken = runsAsTaken(unit.paths);
  const { client } = watch;
  const running = await readSettings(client);
  const persistenceChanges = (await runningKind(client)) !== kindOf(next.spec.redis.persistence);
  const different = (asTaken ? differentWhileTaken : differentSettings)(running.config, wanted).filter(
    ({ name }) => !(persistenceChanges && ofPersistence.has(name)),
  );
  const isThere = asTaken ? await whatIsWritten(next, { place, unit }) : () => false;
  await applyReplicationLogin(next, client, dryRun, told);
  for (const each of different) {
    const fixed = fixedSettings.has(each.name);
    const change = { what: each.name, from: each.running, to: each.wanted };
    // Noted before: it may take what it does not answer.
    told.set(each.name, { ...change, takes: fixed ? 'restart' : 'now' });
    const restart = dryRun || fixed ? fixed : !(await setLive(client, each));
    if (restart && isThere(each)) told.delete(each.name);
    else told.set(each.name, { ...change, takes: restart ? 'restart' : 'now' });
  }
  const changes = [...told.values()];
  if (!dryRun && changes.length > 0) {
    // One that was taken over has a redis.conf of its own, or none: with ours it begins at its next start.
    if (!asTaken) await client.rewriteConfig();
    await writeForRestart(
      unit.paths.config,
      asTaken ? changes.filter(isInFile) : changes.filter(isForRestart),
    );
  }
  const differentNow = differentUsers(running.users, wanted.users);
  if (asTaken) refuseOwnUsers(place.id, differentNow);
  const users = differentNow.map(({ user, running: from, wanted: to }): SettingChange => {
    const what = `user ${user}`;
    const takes = asTaken ? 'restart' : 'now';
    return from === to
      ? { what, from: 'a password', to: 'another password', takes }
      : { what, from, to, takes };
  });
  const { spec, secrets, aclSelectors: selectors } = next;
  const aclText = renderUsersAcl({ spec, secrets, selectors });
  // It has them from its next start on, and nothing is left to do about it.
  if (asTaken && (await readFileIfThere(unit.paths.aclFile)) === aclText) return changes;
  if (!dryRun && users.length > 0) {
    await writeFileAtomic(unit.paths.aclFile, aclText);
    if (!asTaken) await client.connection.call('ACL', 'LOAD');
  }
  return [...changes, ...users];
}

/**
 * A server that was taken over has no ACL file of ours to load, and the agent may make no users: with other passwords it
 * would be locked out there.
 * @throws APPLY_REFUSED
 */
function refuseOwnUsers(id: string, different: readonly UserDifference[]): void {
  const own = different.find(({ user }) => user.startsWith('holdfast-'));
  if (own === undefined) return;
  throw ApplyRefused(
    `${id} was taken over while it ran, and takes the user ${own.user} only when it is started`,
    {
      hint: `Restart it first, which no client notices: holdfast restart --rolling`,
    },
  );
}

/**
 * Of a server that was taken over: whether the file with which it is started the next time has a setting as it should be. Then
 * nothing is left to do about one that only a start brings.
 */
async function whatIsWritten(
  next: Setting,
  member: { place: LiveMember['place']; unit: NonNullable<LiveMember['unit']> },
): Promise<(setting: SettingDifference) => boolean> {
  const text = (await readFileIfThere(member.unit.paths.config)) ?? '';
  const wanted = memberConfText(next, member, null);
  const linesOf = (conf: string, name: string) =>
    directivesIn(conf)
      .filter((line) => directiveKey(line) === name)
      .join('\n');
  return ({ name, wanted: value }) => {
    const there = linesOf(text, name);
    return there === linesOf(wanted, name) || there === `${name} ${value}`;
  };
}

const isForRestart = ({ takes }: SettingChange) => takes === 'restart';

/** `masterauth` is in our file from the beginning. */
const isInFile = ({ what }: SettingChange) => what !== 'masterauth';

/** With what it follows a primary: taken at its next connection. */
async function applyReplicationLogin(
  { secrets }: Setting,
  client: LiveMember['watch']['client'],
  dryRun: boolean,
  told: Map<string, SettingChange>,
): Promise<void> {
  const [user] = Object.values(await client.getConfig('masteruser'));
  const [password] = Object.values(await client.getConfig('masterauth'));
  const [rightUser, rightPassword] = [ownUserName('replication'), secrets.own.replication];
  const note = (change: SettingChange) => told.set(change.what, change);
  if (user !== rightUser) {
    note({ what: 'masteruser', from: user ?? '', to: rightUser, takes: 'now' });
    if (!dryRun) await client.setConfig('masteruser', rightUser);
  }
  if (password !== rightPassword) {
    note({ what: 'masterauth', from: 'a password', to: 'another password', takes: 'now' });
    if (!dryRun) await client.setConfig('masterauth', rightPassword);
  }
}

async function setLive(
  client: LiveMember['watch']['client'],
  { name, wanted }: SettingDifference,
): Promise<boolean> {
  try {
    await client.setConfig(name, wanted);
    return true;
  } catch (error) {
    // Immutable at run time, whatever this version says of it; the file gets it.
    if (isSetAtStartOnly(error)) return false;
    throw error;
  }
}

/** What is taken at a start only, in the server's own words. */
async function writeForRestart(file: string, changes: readonly SettingChange[]): Promise<void> {
  const lines = changes.map(({ what, to }) => `${what} ${to === '' ? '""' : to}`);
  if (lines.length === 0) return;
  await writeFileAtomic(file, mergeDirectives(await readFile(file, 'utf8'), lines.join('\n')));
}
